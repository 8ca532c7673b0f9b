"""The criteria of an audience's query in the OpenAPI document. `audience_jobs/criteria.py` validates them.

Null and an empty text set no condition.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import WithJsonSchema

from functions.handlers.api.schema_parts import NAMED, Schema, ref

_NULL: Schema = {"type": "null"}
_BLANK: Schema = {"type": "string", "const": ""}


def _component(name: str) -> Any:
    return Annotated[Any, WithJsonSchema({NAMED: name})]


Filters, DataPacks, UserIds, CustomQuery = (
    _component(name) for name in ("AudienceFilters", "DataPacks", "UserIds", "CustomQuery")
)


def _either(*schemas: Schema, **more: Any) -> Schema:
    return {"anyOf": [*schemas, _NULL], **more}


def _whole(minimum: int, maximum: int, **more: Any) -> Schema:
    return _either({"type": "integer", "minimum": minimum, "maximum": maximum}, _BLANK, **more)


_MOST_DAYS, _MOST_TRADES = 36_500, 1_000_000_000
_DAYS, _TRADES = _whole(1, _MOST_DAYS), _whole(0, _MOST_TRADES)
_YES_OR_NO = _either({"type": "boolean"}, _BLANK)
_YES_NO_OR_ANY = _either({"type": "boolean"}, {"type": "string"}, description='True, false, or a word such as "any".')
_OLD_FILTERS: Schema = {
    "activityDays": _whole(0, _MOST_DAYS, description="The old name of lastActiveDays; 0 sets no condition."),
    "tradingDays": _whole(0, _MOST_DAYS, description="The old name of tradedInLastDays; 0 sets no condition."),
    "minTrades": _whole(0, _MOST_TRADES, description="The old name of minLifetimeTrades; 0 sets no condition."),
    "trustedTraderStatus": _YES_NO_OR_ANY,
    "trustedTraderCandidate": _YES_NO_OR_ANY,
}

CRITERIA: Mapping[str, Schema] = {
    "filters": _either(ref("AudienceFilters")),
    "dataPacks": _either(ref("DataPacks")),
    "manualUserIds": _either(ref("UserIds")),
    "customQuery": _either(ref("CustomQuery")),
    **_OLD_FILTERS,
}
"""The fields of `audienceCriteria` for a query-based audience."""
CRITERIA_SCHEMAS: Mapping[str, Schema] = {
    "AudienceFilters": {
        "description": "A user has to meet all of these conditions. An empty text sets no condition.",
        "anyOf": [ref("FilterFields"), _BLANK],
    },
    "FilterFields": {
        "type": "object",
        "description": "The filters by their names.",
        "properties": {
            "lastActiveDays": _DAYS,
            "daysSinceLastActive_inactive": _DAYS,
            "tradedInLastDays": _DAYS,
            "notTradedInLastDays": _DAYS,
            "minLifetimeTrades": _TRADES,
            "maxLifetimeTrades": _TRADES,
            "hasTrustedTrader": _YES_OR_NO,
            "isTrustedTraderCandidate": _YES_OR_NO,
            "joinedAfterDate": {
                "type": ["string", "null"],
                "description": "A day, from 0:00 UTC on, or an instant.",
            },
            "manualUserIds": _either(ref("UserIds")),
            **_OLD_FILTERS,
        },
    },
    "DataPacks": {
        "description": "Data packs by name; old clients write an object of true and false.",
        "anyOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "boolean"}},
            _BLANK,
        ],
    },
    "UserIds": {
        "description": "User ids: a list, or a text with commas or blanks between them.",
        "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}],
    },
    "CustomQuery": {"type": "string", "description": "One SELECT that yields user_id."},
}
