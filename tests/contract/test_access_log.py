"""What every AccessLog does."""

from datetime import UTC, datetime, timedelta
from typing import Any

from functions.domain.access import AccessEntry, SubjectKind

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def entry(number: int, **changes: Any) -> AccessEntry:
    given = {"by": "ana@kicks.example", "route": "GET /x", "kind": SubjectKind.USER, "subject": "ab" * 32}
    return AccessEntry(**{"id": f"{number:032x}", "at": NOON + timedelta(seconds=number), **given, **changes})


def test_entries_are_kept_as_they_were_added(ports: Any, open_ports: Any) -> None:
    added = entry(1, kind=SubjectKind.EXECUTION, subject="welcome_20260302T183000Z", by="zoë@kicks.example")
    ports.accesses.add(added)
    assert open_ports().accesses.newest(most=9) == [added]


def test_the_newest_entries_come_first_page_by_page(ports: Any) -> None:
    entries = [entry(number) for number in range(5)]
    for each in entries:
        ports.accesses.add(each)
    assert ports.accesses.newest(most=2) == [entries[4], entries[3]]
    assert ports.accesses.newest(most=9, after=(entries[3].at, entries[3].id)) == [entries[2], entries[1], entries[0]]


def test_all_processes_hash_with_the_same_key(ports: Any, open_ports: Any, at_once: Any) -> None:
    keys = at_once(9, lambda _: open_ports().accesses.key())
    assert set(keys) == {ports.accesses.key()}
    assert len(ports.accesses.key()) == 64
