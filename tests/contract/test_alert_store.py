"""What every AlertStore does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from functions.domain.alerts.alert import Alert
from functions.domain.alerts.outgoing import Fate, OutgoingAlert
from functions.domain.errors import NotFound, NotYet

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AnAlert = Callable[..., OutgoingAlert]


@pytest.fixture
def an_alert() -> AnAlert:
    def make(kind: str = "audience_ready", **fields: Any) -> OutgoingAlert:
        message, details = "größer: 9 users 👟\n", ("push 1: 4", "push 2: 5")
        alert = Alert(kind=kind, execution_id="e_1", message=message, subject="s/1", details=details)
        given: dict[str, Any] = {"alert": alert, "at": NOON, "channels": ("all", "growth"), "quiet_since": NOON}
        return OutgoingAlert(**(given | fields))

    return make


def test_an_alert_is_kept_once_and_comes_back_as_it_was(ports: Any, open_ports: Any, an_alert: AnAlert) -> None:
    assert ports.alert_store.record(an_alert())
    assert not open_ports().alert_store.record(an_alert(at=NOON + MINUTE))
    assert open_ports().alert_store.waiting(NOON) == [an_alert()]


def test_many_who_tell_the_same_at_once_keep_one(open_ports: Any, at_once: Any, an_alert: AnAlert) -> None:
    stores = [open_ports().alert_store for _ in range(2)]
    kept = at_once(20, lambda number: stores[number % 2].record(an_alert(at=NOON + number * MINUTE)))
    assert sum(kept) == 1


def test_one_of_many_workers_gets_an_alert_to_deliver(open_ports: Any, at_once: Any, an_alert: AnAlert) -> None:
    stores = [open_ports().alert_store for _ in range(2)]
    stores[0].record(an_alert())

    def claim(number: int) -> bool:
        try:
            stores[number % 2].change(an_alert().id, lambda known: known.claimed(NOON, MINUTE))
        except NotYet:
            return False
        return True

    assert sum(at_once(10, claim)) == 1


def test_a_change_is_kept_and_what_it_raises_leaves_the_alert(ports: Any, open_ports: Any, an_alert: AnAlert) -> None:
    ports.alert_store.record(an_alert())
    settled = partial(OutgoingAlert.settled, channel="all", fate=Fate.DELIVERED)
    changed = ports.alert_store.change(an_alert().id, settled)
    assert changed == an_alert(fates={"all": Fate.DELIVERED})

    def fail(_: OutgoingAlert) -> OutgoingAlert:
        raise LookupError

    with pytest.raises(LookupError):
        ports.alert_store.change(an_alert().id, fail)
    assert open_ports().alert_store.change(an_alert().id, lambda known: known) == changed


def test_an_alert_that_is_not_there_is_not_changed(ports: Any) -> None:
    with pytest.raises(NotFound, match="nothing-here"):
        ports.alert_store.change("nothing-here", lambda known: known)


def test_what_waits_quietly_is_found_oldest_first_until_every_channel_has_it(ports: Any, an_alert: AnAlert) -> None:
    early = an_alert("blocked", at=NOON - MINUTE, quiet_since=NOON - MINUTE)
    tried = replace(an_alert("failed"), quiet_since=NOON + MINUTE, lease_until=NOON + 2 * MINUTE)
    for outgoing in (an_alert(), early, tried, an_alert("finished", channels=())):
        ports.alert_store.record(outgoing)
    assert ports.alert_store.waiting(NOON) == [early, an_alert()]
    assert ports.alert_store.waiting(NOON + MINUTE) == [early, an_alert(), tried]
    for channel in ("all", "growth"):
        ports.alert_store.change(early.id, partial(OutgoingAlert.settled, channel=channel, fate=Fate.GIVEN_UP))
    assert ports.alert_store.waiting(NOON) == [an_alert()]
