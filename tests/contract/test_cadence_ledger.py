"""What every CadenceLedger does."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from functions.domain.cadence import DEFAULT_RULES

AtOnce = Callable[[int, Callable[[int], Any]], list[Any]]
TODAY = date(2026, 11, 23)
DAYS = [TODAY - timedelta(days=back) for back in (2, 1, 0)]


def read(ports: Any, partition: int = 7) -> dict[date, bytes]:
    return ports.ledger.transact(partition, DAYS, lambda days: ({}, dict(days)))  # type: ignore[no-any-return]


def test_a_day_that_was_never_written_is_empty(ports: Any) -> None:
    assert read(ports) == dict.fromkeys(DAYS, b"")


def test_days_come_back_as_they_were_written_in_their_partition_only(ports: Any, open_ports: Any) -> None:
    packed = bytes(range(256)) * 40
    assert ports.ledger.transact(7, DAYS, lambda _: ({TODAY: packed}, "result")) == "result"
    assert read(open_ports()) == {**dict.fromkeys(DAYS, b""), TODAY: packed}
    assert read(ports, partition=8) == dict.fromkeys(DAYS, b"")


def test_a_transaction_that_raises_writes_nothing(ports: Any) -> None:
    def refuse(_: Mapping[date, bytes]) -> Any:
        raise LookupError("no")

    with pytest.raises(LookupError):
        ports.ledger.transact(7, DAYS, refuse)
    assert read(ports) == dict.fromkeys(DAYS, b"")


def test_concurrent_transactions_happen_one_after_another(open_ports: Any, at_once: AtOnce) -> None:
    ledgers = [open_ports().ledger for _ in range(2)]

    def take_a_place(number: int) -> int:
        def change(days: Mapping[date, bytes]) -> tuple[dict[date, bytes], int]:
            taken = len(days[DAYS[0]]) + len(days[TODAY])
            day = DAYS[0] if taken % 2 else TODAY
            return {day: days[day] + bytes([number])}, taken

        place: int = ledgers[number % 2].transact(7, DAYS, change)
        return place

    assert sorted(at_once(42, take_a_place)) == list(range(42))
    assert sorted(read(open_ports())[DAYS[0]] + read(open_ports())[TODAY]) == list(range(42))


def test_a_cap_holds_under_any_interleaving(ports: Any, at_once: AtOnce) -> None:
    def reserve(number: int) -> bool:
        def change(days: Mapping[date, bytes]) -> tuple[dict[date, bytes], bool]:
            free = sum(map(len, days.values())) < 3
            return ({TODAY: days[TODAY] + bytes([number])} if free else {}), free

        granted: bool = ports.ledger.transact(7, DAYS, change)
        return granted

    assert at_once(16, reserve).count(True) == 3


def test_the_default_rules_are_in_force_until_others_are_saved(ports: Any, open_ports: Any) -> None:
    assert tuple(ports.ledger.rules()) == DEFAULT_RULES
    changed = (replace(DEFAULT_RULES[2], hours=24, count=1, active=False), DEFAULT_RULES[0])
    ports.ledger.save_rules(changed)
    assert tuple(open_ports().ledger.rules()) == changed
    ports.ledger.save_rules([])
    assert tuple(ports.ledger.rules()) == DEFAULT_RULES
