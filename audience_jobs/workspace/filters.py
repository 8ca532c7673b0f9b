"""Filters: conditions on users that a workspace without models names for recipes."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from audience_jobs.contract import Freshness

Kind = Literal["days", "count", "yes_no", "instant"]
FilterValue = int | bool | datetime
"""Days, a count, yes or no, or an instant in UTC, without zone."""
VALUE = "{value}"
"""Where the words of a filter have its value."""
USER_IDS = "manualUserIds"
"""A filter that every workspace has."""
_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A condition on users that a recipe writes as `"NAME": VALUE` in `filters`.

    `sql` is the condition on a row `u` of the table `users`. It may read the WITH queries of `queries`, each of them
    `name AS (SELECT ...)`. `old` are names in old recipes, which also write them in `audienceCriteria` itself. Where
    a recipe has both, a value has to be less than that of the filter `less_than`, and at most that of `at_most`.
    """

    name: str
    kind: Kind
    sql: str
    words: str
    queries: tuple[str, ...] = ()
    words_if_not: str = ""
    words_between: str = ""
    unit: str = ""
    less_than: str = ""
    at_most: str = ""
    old: tuple[str, ...] = ()
    old_yes: tuple[str, ...] = ()
    old_no: tuple[str, ...] = ()
    freshness: Freshness | None = None

    @property
    def parameter(self) -> str:
        """The name by which the SQL reads the value; empty where the value decides whether to negate it."""
        return next(iter(parameters(self.sql)), "")


def parameters(sql: str) -> list[str]:
    """Return the parameters that SQL reads, each once, but for `$now`."""
    return [name for name in dict.fromkeys(_PARAMETER.findall(sql)) if name != "now"]
