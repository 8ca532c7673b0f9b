"""What every RequestKeys does."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

UNTIL = datetime(2026, 12, 1, tzinfo=UTC)
AtOnce = Callable[[int, Callable[[int], Any]], list[Any]]


def test_what_was_asked_first_under_a_name_is_kept(ports: Any, open_ports: Any) -> None:
    assert ports.request_keys.claim("one", {"at": "noon", "n": [1, None]}, UNTIL) == {"at": "noon", "n": [1, None]}
    assert open_ports().request_keys.claim("one", {"at": "midnight"}, UNTIL) == {"at": "noon", "n": [1, None]}
    assert ports.request_keys.claim("two", {"at": "midnight"}, UNTIL) == {"at": "midnight"}


def test_of_42_concurrent_requests_all_get_what_the_first_asked(open_ports: Any, at_once: AtOnce) -> None:
    stores = [open_ports().request_keys for _ in range(3)]
    kept = at_once(42, lambda number: stores[number % 3].claim("one", {"asked": number}, UNTIL)["asked"])
    assert len(set(kept)) == 1
