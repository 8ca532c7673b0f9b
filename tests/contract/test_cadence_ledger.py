"""What every CadenceLedger does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions.domain.audit import Action, Deed
from functions.domain.cadence.rule_changes import SUBJECT, rules_document
from functions.domain.cadence.rules import CadenceRule
from tests.factories import DEFAULT_RULES

AtOnce = Callable[[int, Callable[[int], Any]], list[Any]]
TODAY = date(2026, 11, 23)
SAVED = Deed(by="ann@example.com", at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC), action=Action.SAVED)
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


@pytest.mark.long
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


def test_no_rule_is_saved_before_the_first_change(ports: Any, open_ports: Any) -> None:
    assert tuple(ports.ledger.rules()) == ()
    changed = (replace(DEFAULT_RULES[0], hours=24, count=1, active=False), *DEFAULT_RULES[1:])
    assert tuple(ports.ledger.change_rules(DEFAULT_RULES, lambda _: changed, SAVED)) == changed
    assert tuple(open_ports().ledger.rules()) == changed, "an older release takes them for all there are"


def test_only_what_differs_from_the_workspace_is_saved(ports: Any, open_ports: Any) -> None:
    weekly = CadenceRule(name="weekly", reason="cadence:weekly", layers=frozenset({1, 9}), hours=168)
    declared = (weekly, replace(weekly, name="own", reason="own_word"))
    less = replace(declared[1], hours=24)
    assert tuple(ports.ledger.change_rules(declared, lambda rules: [rules[0], less], SAVED)) == (weekly, less)
    assert tuple(open_ports().ledger.rules()) == (less,)
    ports.ledger.change_rules(declared, lambda _: declared, SAVED)
    assert tuple(open_ports().ledger.rules()) == ()


def test_a_change_of_the_rules_that_raises_changes_nothing(ports: Any) -> None:
    def refuse(_: Sequence[CadenceRule]) -> Any:
        raise LookupError("no")

    with pytest.raises(LookupError):
        ports.ledger.change_rules(DEFAULT_RULES, refuse, SAVED)
    assert tuple(ports.ledger.rules()) == ()
    assert ports.audit.of_recipe(SUBJECT, most=9) == []


def test_who_changed_the_rules_and_what_they_were_is_kept(ports: Any) -> None:
    first = (replace(DEFAULT_RULES[0], hours=24), *DEFAULT_RULES[1:])
    ports.ledger.change_rules(DEFAULT_RULES, lambda _: first, SAVED)
    ports.ledger.change_rules(DEFAULT_RULES, lambda _: DEFAULT_RULES, replace(SAVED, by="bob@example.com"))
    newest, oldest = ports.audit.of_recipe(SUBJECT, most=9)
    default, changed = rules_document(DEFAULT_RULES), rules_document(first)
    assert (oldest.deed.by, oldest.before, oldest.after) == (SAVED.by, default, changed)
    assert (newest.deed.by, newest.before, newest.after) == ("bob@example.com", changed, default)


def test_concurrent_changes_of_the_rules_do_not_undo_each_other(open_ports: Any, at_once: AtOnce) -> None:
    ledgers = [open_ports().ledger for _ in range(2)]

    def longer(number: int) -> Any:
        def change(rules: Sequence[CadenceRule]) -> Sequence[CadenceRule]:
            return [replace(rules[0], hours=rules[0].hours + 1), *rules[1:]]

        return ledgers[number % 2].change_rules(DEFAULT_RULES, change, SAVED)

    at_once(8, longer)
    assert open_ports().ledger.rules()[0].hours == DEFAULT_RULES[0].hours + 8
    assert len(open_ports().audit.of_recipe(SUBJECT, most=20)) == 8
