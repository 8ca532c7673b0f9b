"""What every TesterStore does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.domain.audit import Action, Deed
from functions.domain.errors import NotPossible
from functions.domain.testers import SUBJECT, NamedTester, with_tester

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAVED = Deed(by="ana@kicks.example", at=NOON, action=Action.SAVED)
ANA = NamedTester(name="Ana", user_id="a", email="ana@kicks.example")
ZOE = NamedTester(name="Zoë", user_id='z"1')


def test_there_are_none_at_first_and_then_those_that_were_saved(ports: Any, open_ports: Any) -> None:
    assert list(ports.testers.all()) == []
    ports.testers.change(lambda _: (ZOE,), SAVED)
    ports.testers.change(lambda testers: with_tester(testers, ANA), SAVED)
    assert list(open_ports().testers.all()) == [ANA, ZOE]
    entries = ports.audit.of_recipe(SUBJECT, most=9)
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"people": 1}, {"people": 2}),
        ({"people": 0}, {"people": 1}),
    ]


def test_a_refused_change_and_one_that_changes_nothing_leave_no_entry(ports: Any) -> None:
    def refuse(_: Any) -> Any:
        raise NotPossible("no")

    with pytest.raises(NotPossible):
        ports.testers.change(refuse, SAVED)
    ports.testers.change(lambda testers: testers, SAVED)
    assert list(ports.audit.of_recipe(SUBJECT, most=9)) == []


def test_changes_at_the_same_time_are_all_kept(ports: Any, open_ports: Any, at_once: Any) -> None:
    def add(number: int) -> None:
        new = NamedTester(name=f"N{number}", user_id=str(number))
        open_ports().testers.change(lambda testers: with_tester(testers, new), SAVED)

    at_once(4, add)
    assert len(ports.testers.all()) == 4
