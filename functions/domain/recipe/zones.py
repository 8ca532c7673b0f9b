"""Names of time zones: those of the IANA database, including aliases such as `US/Eastern`."""

from functools import cache
from zoneinfo import available_timezones

_FILES = frozenset({"Factory", "localtime", "posixrules"})
"""Files of the local database that are not zones, or that differ between machines."""


@cache
def readable_zones() -> frozenset[str]:
    """Return the time zones that this machine can read. Stored recipes may name any of them."""
    return frozenset(available_timezones())  # each call walks the database on disk, 5 ms


def zone_names() -> frozenset[str]:
    """Return the time zones that a person may choose."""
    return readable_zones() - _FILES
