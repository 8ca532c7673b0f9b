"""A push while a person writes it: its texts with the values of a sample row, its size, and what saving would refuse.

Nothing here reads a store or user data, so that it can run at every pause in typing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from audience_jobs.contract import Audience, Column
from functions.domain.documents import storage_errors, without_nulls
from functions.domain.errors import BadRecipe, FieldError
from functions.domain.push.content import content_errors, is_blank
from functions.domain.push.payload import Payload
from functions.domain.push.template import Template, Variable
from functions.domain.recipe.defaults import with_defaults
from functions.domain.recipe.errors import field_errors
from functions.domain.recipe.push_fields import CONTENT, RecipePush
from functions.domain.recipe.read import Document, Recipe, read
from functions.ports import Ports
from functions.usecases.dry_run.sample_messages import Text, fill
from functions.usecases.dry_run.sample_people import SamplePeople
from functions.usecases.recipes.audience import recipe_job
from functions.usecases.recipes.check import audience_of, column_errors, not_allowed

Row = Mapping[str, str]
_NEEDED: Document = {"title": "", "body": "", "layerId": 1}
_SHOWN = ("title", "body", "deepLink", "literalText", *CONTENT)
"""The fields whose errors matter to the texts of a push."""
_MOST_ROUNDS = 5
"""An invalid field can hide another one."""


@dataclass(frozen=True, kw_only=True)
class ComposedPush:
    """A push as far as it can be read, and the errors of its fields.

    `audience` is None if the form does not say yet who gets it, or not correctly.
    """

    push: RecipePush
    errors: Sequence[FieldError]
    audience: Audience | None

    @property
    def columns(self) -> Sequence[Column]:
        """What variables can name."""
        return self.audience.columns if self.audience else ()

    @property
    def blank(self) -> bool:
        """Whether nothing was written yet."""
        return is_blank(self.push.title.source) and is_blank(self.push.body.source)

    def in_language(self, tag: str) -> "Said":
        """Return the push in one of its languages; in its own for an empty tag."""
        return Said(self.push.in_language(tag))


class Said:
    """A push in one language, to be filled with the values of rows."""

    def __init__(self, push: RecipePush) -> None:
        self.push = push
        self._payload = Payload(push)

    def texts(self, row: Row | None) -> dict[str, Text]:
        """Return the texts by their fields, for a row or with variables that stand for themselves."""
        return {name: fill(template, row) for name, template in self.push.own_texts.items()}

    @cached_property
    def variables(self) -> Mapping[str, Sequence[Variable]]:
        """The variables in the texts, by column."""
        found: dict[str, list[Variable]] = {}
        for template in self.push.own_texts.values():
            for part in template.parts:
                if isinstance(part, Variable):
                    found.setdefault(part.column, []).append(part)
        return found

    def lacks(self, row: Row) -> str:
        """Return a column without a value and without a fallback: the person would get nothing. Mostly empty."""
        needed = (name for name, uses in self.variables.items() if any(each.fallback is None for each in uses))
        return next((name for name in needed if not row.get(name)), "")

    def bytes(self, row: Row | None) -> int:
        """Return the size of the message for a row; without one, of the text between the variables."""
        texts = {name: _plain(template, row) for name, template in self.push.own_texts.items()}
        more = [texts[name] for name in self.push.more_texts]
        return self._payload.size(texts["title"], texts["body"], texts.get("deepLink"), more)

    def length(self, row: Row) -> int:
        """Return the number of characters of title and body."""
        return len(_plain(self.push.title, row)) + len(_plain(self.push.body, row))


def compose(ports: Ports, document: Document, position: int) -> ComposedPush:
    """Return the push at a position of a document that may be invalid in any part."""
    written = document["pushSequence"][position]
    [joined] = with_defaults({"pushSequence": [written]}, ports.workspace.pushes.defaults)["pushSequence"]
    push, errors = _read(joined)
    audience = _audience(ports, document, push, position)
    errors += [each for each in not_allowed(push, ports.policy, ports.workspace) if _key(each) in _SHOWN]
    errors += column_errors(push, audience) if audience else []
    if not is_blank(push.title.source + push.body.source):
        errors += content_errors(push, [column.name for column in audience.columns] if audience else [])
    return ComposedPush(push=push, errors=list(dict.fromkeys(errors)), audience=audience)


def audience_recipe(document: Document) -> Recipe:
    """Return a recipe that has only the audiences of a document; BadRecipe if these cannot be read."""
    names = [push.get("audienceName") or "" for push in document["pushSequence"]]
    pushes = [{"title": "x", "body": "x", "layerId": 1, "audienceName": name} for name in names]
    schedule = {"frequency": "daily", "timezone": "UTC", "executionTime": "12:00"}
    criteria = document.get("audienceCriteria") or {}
    return read({"id": "composed", "schedule": schedule, "pushSequence": pushes, "audienceCriteria": criteria})


def people_of(found: Sequence[SamplePeople], audience: Audience | None) -> SamplePeople | None:
    """Return the loaded people of an audience; None if they were not loaded, or have other columns by now."""
    if audience is None:
        return None
    columns = {column.name for column in audience.columns}
    fitting = (each for each in found if each.audience == audience.name and columns <= {*each.columns})
    return next((each for each in fitting if each.rows), None)


def _audience(ports: Ports, document: Document, push: RecipePush, position: int) -> Audience | None:
    """Return the audience of a push; None if it is not known.

    The columns of people are known before the conditions say who they are.
    """
    criteria = document.get("audienceCriteria")
    everyone = {**criteria, "where": {"all": []}} if isinstance(criteria, Mapping) and "where" in criteria else None
    for each in (criteria, everyone):
        try:
            recipe = audience_recipe({**document, "audienceCriteria": each})
            return audience_of(recipe_job(recipe, ports.find_job, ports.workspace)[0], push, position)
        except (BadRecipe, ValueError):
            continue
    return None


def _read(written: Mapping[str, Any]) -> tuple[RecipePush, list[FieldError]]:
    """Read a push without its invalid fields. A title or body with a malformed variable is shown as written."""
    document, literal = without_nulls(written), dict[str, Template]()
    errors = storage_errors(document)
    for name in map(_key, errors):
        document.pop(name, None)
    document = {**_NEEDED, **document}
    for _ in range(_MOST_ROUNDS):
        try:
            push = RecipePush.model_validate(document)
        except ValidationError as error:
            found = field_errors(error)
            errors += [each for each in found if _key(each) in _SHOWN]
            for name in map(_key, found):
                text = document.pop(name, "")
                if name in ("title", "body"):
                    literal[name] = Template((str(text),))
                if name in _NEEDED:
                    document[name] = _NEEDED[name]
        else:
            return push.model_copy(update=literal), errors
    return RecipePush.model_validate(_NEEDED).model_copy(update=literal), errors


def _key(error: FieldError) -> str:
    return re.split(r"[.\[]", error.field, maxsplit=1)[0]


def _plain(template: Template, row: Row | None) -> str:
    return "".join(piece.text for piece in fill(template, row) if not piece.column)
