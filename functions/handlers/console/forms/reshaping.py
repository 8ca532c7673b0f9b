"""Add, remove, duplicate and move pushes of a form, their buttons and languages. All other fields keep their values.

Each is a button of the form. Its name is the action, its value the push, the list of buttons, or the language.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from functions.domain.errors import FieldError
from functions.domain.recipe.content_fields import MOST_BUTTONS
from functions.domain.recipe.translations import tag_of
from functions.handlers.console.forms.condition_rows import place_to_go, reshaped_rows
from functions.handlers.console.forms.push_rows import BUTTON_FIELDS, NOTHING, TEXTS, button_count, languages

Values = dict[str, str]

_PUSH = re.compile(r"pushSequence\[(\d{1,3})\]")
_LIST = re.compile(r"(pushSequence\[\d{1,3}\](?:\.translations\.[A-Za-z0-9_-]+)?)\.buttons")
_BUTTON = re.compile(rf"({_LIST.pattern})\[(\d{{1,2}})\]")
_LANGUAGE = re.compile(r"(pushSequence\[\d{1,3}\])\.translations\.([A-Za-z0-9_-]+)")
_TIMING = ".timing."
LANGUAGES: Mapping[str, str] = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "en-GB": "English (UK)",
    "es": "Spanish",
    "es-MX": "Spanish (Mexico)",
    "fi": "Finnish",
    "fr": "French",
    "fr-CA": "French (Canada)",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nb": "Norwegian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-BR": "Portuguese (Brazil)",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh-Hans": "Chinese (simplified)",
    "zh-Hant": "Chinese (traditional)",
}
"""Languages to choose from; any other language tag may be written."""


@dataclass(frozen=True, kw_only=True)
class Reshaped:
    """A form with a part added, removed or moved.

    `focus` is the id of the element to go on with, and `said` tells what happened. `errors` say why nothing did.
    """

    values: Values
    pushes: int
    focus: str
    said: str = ""
    errors: tuple[FieldError, ...] = ()


def reshaped(values: Values, pushes: int) -> Reshaped | None:
    """Return the form after the action that its pressed button names; None if none was pressed."""
    for action, change in ACTIONS.items():
        if action in values:
            return change(values, pushes, values[action]) or Reshaped(values=values, pushes=pushes, focus="")
    return None


def _add(values: Values, pushes: int, _: str) -> Reshaped:
    return Reshaped(values=values, pushes=pushes + 1, focus=_title(pushes), said=f"Push {pushes + 1} added.")


def _remove(values: Values, pushes: int, written: str) -> Reshaped | None:
    position = _position(written, pushes)
    if position is None or pushes == 1:
        return None
    moved = _renumbered(values, lambda number: None if number == position else number - (number > position))
    said = f"Push {position + 1} removed."
    return Reshaped(values=moved, pushes=pushes - 1, focus=_title(min(position, pushes - 2)), said=said)


def _duplicate(values: Values, pushes: int, written: str) -> Reshaped | None:
    position = _position(written, pushes)
    if position is None:
        return None
    moved = _renumbered(values, lambda number: number + (number > position))
    base, copy = f"pushSequence[{position}]", f"pushSequence[{position + 1}]"
    moved |= {copy + name.removeprefix(base): text for name, text in values.items() if name.startswith(base)}
    said = f"Push {position + 1} duplicated as push {position + 2}."
    return Reshaped(values=moved, pushes=pushes + 1, focus=_title(position + 1), said=said)


def _move(by: int) -> Callable[[Values, int, str], Reshaped | None]:
    def move(values: Values, pushes: int, written: str) -> Reshaped | None:
        """Swap a push with its neighbour. When a push goes out belongs to its place, so the timing stays."""
        position = _position(written, pushes)
        other = -1 if position is None else position + by
        if position is None or not 0 <= other < pushes:
            return None
        places = {position: other, other: position}
        timing = {name: text for name, text in values.items() if _PUSH.match(name) and _TIMING in name}
        moved = {name: text for name, text in values.items() if name not in timing}
        moved = _renumbered(moved, lambda number: places.get(number, number)) | timing
        way = ("up" if other else "down") if by < 0 else ("down" if other < pushes - 1 else "up")
        said = f"Push {position + 1} is now push {other + 1}."
        return Reshaped(values=moved, pushes=pushes, focus=f"push-{other + 1}-{way}", said=said)

    return move


def _add_button(values: Values, pushes: int, name: str) -> Reshaped | None:
    count = button_count(values, name)
    if not _LIST.fullmatch(name) or count >= MOST_BUTTONS or _is_json(values, name):
        return None
    added = values | {f"{name}[{count}].{each}": "" for each in BUTTON_FIELDS}
    return Reshaped(values=added, pushes=pushes, focus=f"{name}[{count}].title", said=f"Button {count + 1} added.")


def _remove_button(values: Values, pushes: int, written: str) -> Reshaped | None:
    found = _BUTTON.fullmatch(written)
    if not found:
        return None
    name, place = found[1], int(found[3])
    row = re.compile(re.escape(name) + r"\[(\d{1,2})\]")

    def moved(number: int) -> int | None:
        return None if number == place else number - (number > place)

    left = _renumbered(values, moved, row, name)
    count = button_count(left, name)
    focus = f"{name}[{min(place, count - 1)}].title" if count else f"{name}-add"
    return Reshaped(values=left, pushes=pushes, focus=focus, said=f"Button {place + 1} removed.")


def _add_language(values: Values, pushes: int, written: str) -> Reshaped | None:
    position = _position(written, pushes)
    base = f"pushSequence[{position}]"
    field, name = f"{base}.language", f"{base}.translations"
    if position is None or _is_json(values, name):
        return None
    typed = values.get(field, "").strip()
    tag = next((each for each, word in LANGUAGES.items() if word.lower() == typed.lower()), _tag_of(typed))
    known = next((each for each in languages(values, name) if each.lower() == tag.lower()), "")
    if not tag or known:
        reason = f"{known} is there already" if known else "Choose a language, or write its code, such as de or pt-BR"
        error = FieldError(field, reason)
        return Reshaped(values=values, pushes=pushes, focus=field, said=f"{typed}: {reason}", errors=(error,))
    added = values | {f"{name}.{tag}.{text}": "" for text in TEXTS} | {field: "", f"{base}.tab": tag}
    said = f"{LANGUAGES.get(tag, tag)} added to push {position + 1}."
    return Reshaped(values=added, pushes=pushes, focus=f"{name}.{tag}.title", said=said)


def _remove_language(values: Values, pushes: int, written: str) -> Reshaped | None:
    found = _LANGUAGE.fullmatch(written)
    if not found:
        return None
    base, tag = found.groups()
    left = {name: text for name, text in values.items() if not name.startswith(f"{written}.")}
    said = f"{LANGUAGES.get(tag, tag)} removed."
    return Reshaped(values=left | {f"{base}.tab": ""}, pushes=pushes, focus=f"{base}.title", said=said)


ACTIONS: Mapping[str, Callable[[Values, int, str], Reshaped | None]] = {
    "add": _add,
    "remove": _remove,
    "duplicate": _duplicate,
    "up": _move(-1),
    "down": _move(1),
    "add-button": _add_button,
    "remove-button": _remove_button,
    "add-language": _add_language,
    "remove-language": _remove_language,
    "shape": lambda values, pushes, action: Reshaped(
        values=reshaped_rows(values, action), pushes=pushes, focus=place_to_go(values, action)
    ),
    "preview": lambda values, pushes, _: Reshaped(values=values, pushes=pushes, focus="view.open"),
    "restore": lambda values, pushes, _: Reshaped(values=values, pushes=pushes, focus="", said="Changes restored."),
}


def _tag_of(typed: str) -> str:
    """Return the language tag that somebody wrote; empty if it is none."""
    tag = tag_of(typed)
    return tag if len(tag.partition("-")[0]) in (2, 3) else ""


def _is_json(values: Values, name: str) -> bool:
    """Return whether a value is shown as JSON, because fields cannot show it."""
    return values.get(name, "").strip() not in ("", *NOTHING)


def _renumbered(
    values: Values, to: Callable[[int], int | None], row: re.Pattern[str] = _PUSH, name: str = "pushSequence"
) -> Values:
    """Return the fields with other numbers in the names of the rows that match; without rows that get None."""
    found: Values = {}
    for field, text in values.items():
        match = row.match(field)
        number = to(int(match[1])) if match else None
        if match is None:
            found[field] = text
        elif number is not None:
            found[f"{name}[{number}]{field[match.end() :]}"] = text
    return found


def _position(written: str, pushes: int) -> int | None:
    position = int(written) if written.isdecimal() and len(written) < 4 else pushes
    return position if position < pushes else None


def _title(position: int) -> str:
    return f"pushSequence[{position}].title"
