"""A file that scripts the outcomes of sends, to see failures on a laptop."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions.domain.errors import BadInput
from functions.domain.push.outcomes import Outcome
from local.embedded.outbox import OutcomeScript

_KEYS = {"byToken", "byUser", "rates", "default"}


def read_outcomes(path: Path) -> OutcomeScript:
    """Read `{"byUser": {id: outcome}, "byToken": {...}, "rates": {outcome: share}, "default": outcome}`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(document, dict) or not document.keys() <= _KEYS:
        raise BadInput(f"{path}: must be one JSON object with only the keys {', '.join(sorted(_KEYS))}")
    rates = _object(path, document, "rates")
    for outcome, share in rates.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise BadInput(f"{path}: rates.{outcome} must be a share between 0 and 1, got {share!r}")
    return OutcomeScript(
        by_token={name: _outcome(path, value) for name, value in _object(path, document, "byToken").items()},
        by_user={name: _outcome(path, value) for name, value in _object(path, document, "byUser").items()},
        rates={_outcome(path, name): float(share) for name, share in rates.items()},
        default=_outcome(path, document.get("default", "sent")),
    )


def _object(path: Path, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise BadInput(f"{path}: {key} must be an object")
    return value


def _outcome(path: Path, name: object) -> Outcome:
    try:
        return Outcome(name)
    except ValueError:
        known = ", ".join(outcome.value for outcome in Outcome)
        raise BadInput(f"{path}: {name!r} is not an outcome; known: {known}") from None
