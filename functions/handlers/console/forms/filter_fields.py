"""The filters and data packs of a workspace without models as fields of the campaign form."""

from collections.abc import Mapping
from typing import Any

from functions.handlers.console.forms.form_fields import FormField
from functions.handlers.console.forms.widgets import Kind, read_text
from functions.usecases.recipes.criteria_parts import VALUE, DataPack, Filter

_KINDS = {"days": Kind.NUMBER, "count": Kind.NUMBER, "yes_no": Kind.CHOICE, "instant": Kind.TEXT}
_YES_OR_NO = {"true": True, "false": False}
_UNITS = {"days": "days", "instant": "a date such as 2026-01-31"}


def filter_fields(filters: Mapping[str, Filter]) -> list[tuple[str, FormField]]:
    """Return a field for each filter, by its name in the form."""
    return [(_name(each.name), _field(each)) for each in filters.values()]


def pack_fields(packs: Mapping[str, DataPack]) -> list[tuple[str, FormField]]:
    """Return a box for each data pack, by its name in the form."""
    return [
        (_pack(name), FormField(path=name, kind=Kind.CHECK, label=f"Only people with {pack.words}"))
        for name, pack in packs.items()
    ]


def show_filters(written: Any, filters: Mapping[str, Filter]) -> dict[str, str]:
    """Return the fields of filters; none if they cannot show all of them exactly."""
    if not isinstance(written, Mapping) or not set(written) <= set(filters):
        return {}
    fields = {_name(name): _shown(value) for name, value in written.items()}
    read = read_filters(fields, filters) or {}
    exact = all(read.get(name) == value and type(read[name]) is type(value) for name, value in written.items())
    return fields if exact else {}


def read_filters(fields: Mapping[str, str], filters: Mapping[str, Filter]) -> dict[str, Any] | None:
    """Return the filters whose fields are filled; None without any."""
    texts = {name: fields.get(_name(name), "").strip() for name in filters}
    return {name: _value(filters[name], text) for name, text in texts.items() if text} or None


def show_packs(written: Any, packs: Mapping[str, DataPack]) -> dict[str, str]:
    """Return the boxes of data packs; none if they cannot show all of them exactly."""
    if not isinstance(written, list) or not all(isinstance(name, str) and name in packs for name in written):
        return {}
    return {_pack(name): "yes" for name in written} if len(set(written)) == len(written) else {}


def read_packs(fields: Mapping[str, str], packs: Mapping[str, DataPack]) -> list[str] | None:
    """Return the data packs whose boxes are ticked; None without any."""
    return [name for name in packs if fields.get(_pack(name)) == "yes"] or None


def _name(name: str) -> str:
    return f"filters.{name}"


def _pack(name: str) -> str:
    return f"packs.{name}"


def _field(of: Filter) -> FormField:
    before, _, after = of.words.partition(VALUE)
    words = (
        f"{before.strip()} … {of.unit or _UNITS.get(of.kind, '')}{after}".strip() if VALUE in of.words else of.words
    )
    options = (
        ("", "Everyone"),
        ("true", f"Only {of.words}"),
        ("false", f"Only {of.words_if_not or f'not {of.words}'}"),
    )
    return FormField(
        path=of.name,
        kind=_KINDS[of.kind],
        label=words[:1].upper() + words[1:],
        options=options if of.kind == "yes_no" else (),
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, int | str) else ""
    return text if text.isprintable() else ""


def _value(of: Filter, text: str) -> Any:
    if of.kind == "yes_no":
        return _YES_OR_NO.get(text, text)
    return text if of.kind == "instant" else read_text(Kind.NUMBER, text)
