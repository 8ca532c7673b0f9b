"""Segments of a day: conditions on the locale of users, which recipes share and people change."""

from collections.abc import Mapping
from random import Random
from typing import Any

from functions.domain.audience.segments import Segment
from functions.ports import Ports
from functions.usecases.recipes.segments import delete_segment, list_segments, save_segment

_OPERATOR = "operator@example.com"
_IDS = ("readers", "others")
_LOCALES = (["de", "de_AT"], ["fr", "de_AT"], ["de", "fr"], ["de_AT"])

Document = dict[str, Any]


def draw_segments(random: Random, recipes: tuple[Document, ...]) -> tuple[tuple[Document, ...], tuple[Segment, ...]]:
    """Have all recipes but perhaps one choose their users by the first segment; return them and the segments."""
    kept = random.choice((len(recipes), len(recipes), max(1, len(recipes) - 1)))
    using = tuple(_using(recipe) if place < kept else recipe for place, recipe in enumerate(recipes))
    return using, (_segment(0, 0), *([_segment(1, 1)] if random.random() < 0.5 else []))


def choose_other_users(document: Document, number: int) -> None:
    """Change who a recipe that uses a segment is for: by the same segment, another one, or by own conditions."""
    criteria = document["audienceCriteria"]
    if "where" in criteria:
        chosen = ({"segment": _IDS[0]}, {"segment": _IDS[1]}, _condition(number))
        criteria["where"] = {"all": [chosen[number % 3]]}


def change_segment(ports: Ports, number: int) -> None:
    """Create or change a segment."""
    list_segments(ports)
    save_segment(ports, _segment(number % 4 == 3, number), by=_OPERATOR)


def drop_segment(ports: Ports, number: int) -> None:
    """Delete a segment; NotPossible while recipes use it."""
    delete_segment(ports, _IDS[number % 2], by=_OPERATOR)


def locales_wanted(criteria: Mapping[str, Any]) -> list[str] | None:
    """Return the locales of the users who fit the conditions of a recipe of these days; None for other recipes."""
    match criteria.get("where"):
        case {"all": [where]} | {"segment": _, "where": where}:
            return locales_wanted({"where": where})
        case {"column": "locale", "op": "one_of", "value": [*locales]}:
            return locales
    return None


def _using(recipe: Document) -> Document:
    """Return a recipe whose users are those of the first segment; such an audience has no parts."""
    pushes = [{name: value for name, value in push.items() if name != "audienceName"} for push in _pushes(recipe)]
    criteria = {"where": {"segment": _IDS[0]}, "testMode": recipe["audienceCriteria"]["testMode"]}
    return {**recipe, "audienceCriteria": criteria, "pushSequence": pushes}


def _pushes(recipe: Document) -> list[Document]:
    return list(recipe["pushSequence"])


def _segment(place: int, number: int) -> Segment:
    return Segment(id=_IDS[place], name=_IDS[place].capitalize(), where=_condition(number))


def _condition(number: int) -> Document:
    return {"column": "locale", "op": "one_of", "value": _LOCALES[number % len(_LOCALES)]}
