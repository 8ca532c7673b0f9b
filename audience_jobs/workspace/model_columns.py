"""The columns of a model: their types, and what those have to be that Tminus reads by name."""

from collections.abc import Iterator, Mapping

from sqlglot import exp

from audience_jobs.errors import RefusedQuery
from audience_jobs.schema import DEVICES, ColumnType
from audience_jobs.workspace.models import OPT_OUTS, PEOPLE, Model

_Type = exp.DataType.Type
_TYPES: Mapping[object, ColumnType] = {
    **dict.fromkeys([_Type.TEXT, _Type.VARCHAR], "text"),
    **dict.fromkeys([_Type.INT, _Type.BIGINT], "integer"),
    **dict.fromkeys([_Type.DOUBLE, _Type.FLOAT, _Type.DECIMAL], "number"),
    _Type.BOOLEAN: "boolean",
    _Type.TIMESTAMP: "timestamp",
    _Type.DATE: "date",
    _Type.JSON: "json",
}
_CASTS: Mapping[str, str] = {"text": "TEXT", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN"}
_MEANT: Mapping[str, Mapping[str, ColumnType]] = {
    PEOPLE: {"user_id": "text", "time_zone": "text", "locale": "text"},
    DEVICES: {
        "user_id": "text",
        "token": "text",
        "fid": "text",
        "platform": "text",
        "updated_at": "timestamp",
        "notifications": "boolean",
        "app_version": "text",
    },
    OPT_OUTS: {"user_id": "text", "topic": "text"},
}
"""What Tminus reads of some models."""
_NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    PEOPLE: (("user_id",),),
    DEVICES: (("user_id",), ("token", "fid"), ("platform",), ("updated_at",)),
    OPT_OUTS: (("user_id",),),
}
"""The columns that these models have to have; of several in brackets one is enough."""


def typed_columns(known: exp.Query) -> Iterator[tuple[str, ColumnType]]:
    """Yield the columns of a query with their types; RefusedQuery where one has none, or comes twice."""
    names: set[str] = set()
    for selected in known.selects:
        name, type_ = selected.alias_or_name, selected.type
        if name.lower() in names:
            raise RefusedQuery(f"yields the column {name} twice: engines do not distinguish capitals")
        names.add(name.lower())
        if type_ is None or (said := _said(type_)) is None:
            raise RefusedQuery(f"does not show the type of {name}: cast it, as in CAST(... AS TEXT) AS {name}")
        yield name, said


def check_meaning(model: Model, models: Mapping[str, Model]) -> None:
    """Raise RefusedQuery where a model lacks a column that Tminus reads, or has it as something else."""
    for names in _NEEDED.get(model.name, ()):
        if not any(name in model.columns for name in names):
            raise RefusedQuery(f"yields no column {' or '.join(names)}: name it so with AS")
    for name, type_ in {"user_id": "text", **_MEANT.get(model.name, {})}.items():
        if (found := model.columns.get(name, type_)) != type_:
            cast = f"CAST(... AS {_CASTS[type_]}) AS {name}"
            raise RefusedQuery(f"yields the column {name} as {found}: make it {type_}, as in {cast}")
    if model.name in (PEOPLE, OPT_OUTS) and model.private & {"user_id", "topic"}:
        raise RefusedQuery("makes the column user_id or topic of private data: take the ids from another column")
    if model.name == PEOPLE and "audience" in map(str.lower, model.columns):
        raise RefusedQuery("yields the column audience, which Tminus reserves: give it another name")
    if model.name in (DEVICES, OPT_OUTS) and _reads_now(model, models):
        raise RefusedQuery("reads $now, which sending does not have: decide by another column")


def _reads_now(model: Model, models: Mapping[str, Model]) -> bool:
    return "now" in model.query.parameters or any(_reads_now(models[name], models) for name in model.models)


def _said(type_: exp.DataType) -> ColumnType | None:
    if type_.this == _Type.ARRAY:
        inner = type_.expressions[0] if type_.expressions else None
        return "text[]" if isinstance(inner, exp.DataType) and _TYPES.get(inner.this) == "text" else None
    return _TYPES.get(type_.this)
