"""Names of time zones: those of the IANA database, aliases such as `US/Eastern` included."""

from functools import cache
from zoneinfo import available_timezones

_FILES = frozenset({"Factory", "localtime", "posixrules"})
"""Files of a machine's copy that name no place, and mean something else on each machine."""


@cache
def readable_zones() -> frozenset[str]:
    """Return what this machine can read as a time zone; stored recipes may name any of them."""
    return frozenset(available_timezones())  # each call walks the database on disk, 5 ms


def zone_names() -> frozenset[str]:
    """Return the time zones that a person may choose."""
    return readable_zones() - _FILES
