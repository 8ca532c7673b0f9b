"""How long everything is kept; docs/privacy.md has the same table.

Nothing decides by what is deleted here: each retention is longer than the longest look back at what it keeps.
"""

from datetime import datetime, timedelta

from functions.domain.ids import send_instant_of

LEAST_EXECUTION_DAYS, EXECUTION_DAYS, MOST_EXECUTION_DAYS = 120, 400, 1_095
"""Bounds and default of EXECUTION_RETENTION_DAYS: longer than the 90 days that a user's history looks back, and than
the 30 days of the longest cadence rule."""
ALERTS = timedelta(days=90)
LEDGER = timedelta(days=120)
REQUEST_KEYS = timedelta(days=7)
LAST_RESORT = timedelta(days=MOST_EXECUTION_DAYS + 5)
"""When Firestore itself deletes what belongs to an execution: after `reconcile` should have, with any setting."""


def expires_with(execution_id: str) -> datetime | None:
    """Return when Firestore deletes a document of an execution at the latest; None for an id without an instant."""
    at = send_instant_of(execution_id)
    return at and at + LAST_RESORT
