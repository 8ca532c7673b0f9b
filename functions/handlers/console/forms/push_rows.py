"""Buttons and translations of a push as fields of their own: `buttons[0].title`, `translations.de.body`.

What these fields do not show of a button or a translation is in its hidden field `rest`, as JSON. A value that they
cannot show at all stays JSON in the field `buttons` or `translations` itself.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from functions.domain.recipe.read import Document
from functions.handlers.console.forms.widgets import read_json, show_json

BUTTONS, TRANSLATIONS, REST = "buttons", "translations", "rest"
BUTTON_FIELDS = ("title", "deepLink", "id")
TEXTS = ("title", "body", "image")
"""The fields of a translation, besides its buttons."""
NOTHING = ("[]", "{}")
"""Empty values, as JSON: they switch off the workspace's default."""
_NEEDED = ("title", "body")
_TAG = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_ID = 36

Values = Mapping[str, str]


def rows_of(path: str, value: Any, name: str) -> dict[str, str] | None:
    """Return the fields for the value of a push at a path; None if its own field shows it."""
    if path == BUTTONS and value:
        return _button_rows(value, name)
    return _translation_rows(value, name) if path == TRANSLATIONS and value else None


def read_rows(path: str, values: Values, name: str) -> Any:
    """Return the value that the fields below `name` make; None if there are none."""
    if path == BUTTONS:
        return _read_buttons(values, name)
    if path != TRANSLATIONS:
        return None
    own = _read_buttons(values, f"{name.rpartition('.')[0]}.{BUTTONS}") or []
    return {tag: _read_translation(values, f"{name}.{tag}", own) for tag in languages(values, name)} or None


def button_count(values: Values, name: str) -> int:
    """Return the number of buttons below `name`."""
    row = re.compile(re.escape(name) + r"\[(\d{1,2})\]\.")
    return max((int(found[1]) + 1 for each in values if (found := row.match(each))), default=0)


def languages(values: Values, name: str) -> list[str]:
    """Return the tags of the translations below `name`, in order."""
    row = re.compile(re.escape(name) + rf"\.({_TAG.pattern})\.")
    return list(dict.fromkeys(found[1] for each in values if (found := row.match(each))))


def missing_in(values: Values, name: str, tag: str) -> list[str]:
    """Return what the translation into a language lacks, among what the push has."""
    missing = [text for text in _NEEDED if not values.get(f"{name}.{tag}.{text}", "").strip()]
    own, theirs = f"{name.rpartition('.')[0]}.{BUTTONS}", f"{name}.{tag}.{BUTTONS}"
    return [*missing, *([BUTTONS] if button_count(values, own) > button_count(values, theirs) else [])]


def row_names(values: Values, base: str) -> list[str]:
    """Return the names of all fields and groups of fields for the buttons and translations of a push."""
    name, found = f"{base}.{TRANSLATIONS}", _button_names(values, f"{base}.{BUTTONS}")
    for tag in languages(values, name):
        found += [f"{name}.{tag}", *(f"{name}.{tag}.{text}" for text in TEXTS)]
        found += [f"{name}.{tag}.{BUTTONS}", *_button_names(values, f"{name}.{tag}.{BUTTONS}")]
    return found


def _button_names(values: Values, name: str) -> list[str]:
    return [f"{name}[{place}].{each}" for place in range(button_count(values, name)) for each in BUTTON_FIELDS]


def _button_rows(buttons: Any, name: str) -> dict[str, str] | None:
    if not isinstance(buttons, list) or len(buttons) > 99:
        return None
    rows: dict[str, str] = {}
    for place, button in enumerate(buttons):
        row = _object_rows(button, BUTTON_FIELDS, f"{name}[{place}]")
        if row is None:
            return None
        rows |= row
    return rows


def _translation_rows(translations: Any, name: str) -> dict[str, str] | None:
    if not isinstance(translations, dict) or not all(map(_TAG.fullmatch, translations)):
        return None
    rows: dict[str, str] = {}
    for tag, translation in translations.items():
        base = f"{name}.{tag}"
        row = _object_rows(translation, TEXTS, base, BUTTONS)
        buttons = _button_rows(translation.get(BUTTONS) or [], f"{base}.{BUTTONS}") if row is not None else None
        if row is None or buttons is None:
            return None
        rows |= row | buttons
    return rows


def _object_rows(value: Any, shown: Sequence[str], name: str, inner: str = "") -> dict[str, str] | None:
    """Return the fields of an object; `inner` has fields of its own, unless it is empty."""
    if not isinstance(value, dict) or not all(_can_show(value.get(key), key) for key in shown):
        return None
    rest = {key: each for key, each in value.items() if not _is_shown(each) or key not in (*shown, inner)}
    fields = {f"{name}.{key}": value[key] if _is_shown(value.get(key)) else "" for key in shown}
    return {**fields, f"{name}.{REST}": show_json(rest) if rest else ""}


def _can_show(value: Any, key: str) -> bool:
    """Return whether a field can show a value; a field of one line loses line breaks."""
    return value is None or (isinstance(value, str) and (key == "body" or not re.search(r"[\r\n]", value)))


def _is_shown(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _read_buttons(values: Values, name: str) -> list[Document] | None:
    rows = [_read_object(values, f"{name}[{n}]", BUTTON_FIELDS) for n in range(button_count(values, name))]
    for place, row in enumerate(rows):
        row.setdefault("title", "")  # the error says what to write
        if not row.get("id"):
            row["id"] = _new_id(row, place, [each.get("id") for each in rows])
    return rows or None


def _new_id(row: Document, place: int, taken: Sequence[Any]) -> str:
    title = row["title"] if isinstance(row["title"], str) else ""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower() if title.isascii() else "").strip("-")[:_LONGEST_ID]
    return words if words and words not in taken else f"button-{place + 1}"


def _read_translation(values: Values, name: str, own: Sequence[Document]) -> Document:
    """Return a translation. A button without an id is the one of the push at the same place."""
    found = _read_object(values, name, TEXTS)
    for text in _NEEDED:
        found.setdefault(text, "")
    buttons = _read_buttons(values, f"{name}.{BUTTONS}") or []
    for place, (button, its_own) in enumerate(zip(buttons, own, strict=False)):
        if not values.get(f"{name}.{BUTTONS}[{place}].id", "").strip():
            button["id"] = its_own["id"]
    return {**found, BUTTONS: buttons} if buttons else found


def _read_object(values: Values, name: str, shown: Sequence[str]) -> Document:
    try:
        rest = read_json(values.get(f"{name}.{REST}", ""))
    except (ValueError, RecursionError):
        rest = None
    texts = {key: values.get(f"{name}.{key}", "") for key in shown}
    return {**(rest if isinstance(rest, dict) else {}), **{key: text for key, text in texts.items() if text.strip()}}
