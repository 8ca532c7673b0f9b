"""Calls of other programs: which users cadence rules let through, a push they sent, and what a user got."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import BadFields, BadInput, LedgerUnreadable
from functions.handlers.http.as_json import as_json
from functions.ports import Ports
from functions.usecases.cadence.change_rules import change_rules
from functions.usecases.cadence.filter_audience import filter_audience
from functions.usecases.cadence.track import Tracked, track_notification
from functions.usecases.reports.history import notifications_of
from tests.factories import push, recipe, user
from tests.functional.conftest import EARLIER, SEND_AT, Lab

MakeLab = Callable[..., Lab]
YESTERDAY = "2026-03-01T18:30:00Z"
ALREADY = Tracked(recorded=False, reason="already_recorded")


def track(lab: Lab, **written: Any) -> Tracked:
    return track_notification(lab.ports, {"userId": user(1), "layerId": 3, "sentAt": YESTERDAY, **written})


def history(lab: Lab, number: int = 1) -> list[dict[str, Any]]:
    found = notifications_of(lab.ports, user(number), until=lab.clock.now(), days=14)
    return [as_json(each) for each in found.notifications]


@pytest.mark.long
def test_a_filter_excludes_the_users_that_the_next_push_would_exclude(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to_the_end()
    found = filter_audience(lab.ports, [user(number) for number in range(9)], 3)
    assert found.eligible == [user(number) for number in range(4, 9)]
    assert found.excluded == {"layer_3_cooldown": 4}
    assert found.excluded_count == 4
    lab.run_to(SEND_AT + timedelta(days=1, hours=1))
    totals = lab.report(f"welcome_{SEND_AT + timedelta(days=1):%Y%m%dT%H%M%SZ}")["totals"]
    assert totals["excluded"] == {"layer_3_cooldown": 4}


def test_a_filter_reserves_nothing(lab: Lab) -> None:
    for _ in range(5):
        assert filter_audience(lab.ports, [user(1)], 3).eligible == [user(1)]
    assert history(lab) == []


def test_ids_that_are_not_valid_or_come_again_are_excluded_and_counted(lab: Lab) -> None:
    found = filter_audience(lab.ports, [user(1), "jo", user(2), user(1), user(2).upper(), ""], 3)
    assert found.eligible == [user(1), user(2)]
    assert found.excluded == {"invalid_user_id": 2, "duplicate_user_id": 2}


@pytest.mark.parametrize("layer", [1, 4])
def test_layers_1_and_4_are_let_through(lab: Lab, layer: int) -> None:
    track(lab)
    assert filter_audience(lab.ports, [user(1)], layer).eligible == [user(1)]
    assert filter_audience(lab.ports, [user(1)], 3).eligible == []


def test_a_rule_that_is_switched_off_excludes_no_user(lab: Lab) -> None:
    track(lab)
    change_rules(lab.ports, [{"name": "layer_3_cooldown", "active": False}], by="ann@example.com")
    assert filter_audience(lab.ports, [user(1)], 3).eligible == [user(1)]


def test_more_users_than_an_execution_may_have_are_refused(lab: Lab) -> None:
    with pytest.raises(BadFields, match="userIds: holds 100,001 users; at most 100,000"):
        filter_audience(lab.ports, ["x"] * 100_001, 3)


class _Unreadable:
    def rules(self) -> Any:
        raise LedgerUnreadable("disk on fire")


def _without_ledger(ports: Ports) -> Ports:
    ledger: Any = _Unreadable()
    return replace(ports, ledger=ledger)


def test_without_the_ledger_no_user_is_let_through(make_lab: MakeLab) -> None:
    lab = make_lab(wrap=_without_ledger)
    with pytest.raises(LedgerUnreadable):
        filter_audience(lab.ports, [user(1)], 3)
    assert filter_audience(lab.ports, [user(1)], 1).eligible == [user(1)]


def test_where_the_deployment_fails_open_all_users_are_let_through_with_a_notice(make_lab: MakeLab) -> None:
    lab = make_lab(wrap=_without_ledger, fail_open=True)
    found = filter_audience(lab.ports, [user(1), "jo"], 3)
    assert (found.eligible, found.excluded) == ([user(1)], {"invalid_user_id": 1})
    assert "CADENCE_FAIL=open lets all users through" in found.unfiltered


@pytest.mark.slow
def test_a_tracked_push_holds_back_the_next_one(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    assert track(lab) == Tracked(recorded=True, reason="")
    lab.run_to_the_end()
    assert lab.report()["totals"]["excluded"] == {"layer_3_cooldown": 1}


def test_the_same_push_is_recorded_once(lab: Lab) -> None:
    assert track(lab).recorded
    assert track(lab) == ALREADY
    assert track(lab, userId=user(1).upper()) == ALREADY
    assert track(lab, layerId=2).recorded
    assert track(lab, userId=user(2)).recorded
    assert len(history(lab)) == 2


def test_an_id_makes_a_repeat_the_same_push_whenever_it_says_it_was_sent(lab: Lab) -> None:
    assert track(lab, id="msg-1").recorded
    lab.clock.advance_to(EARLIER + timedelta(days=2))
    assert track(lab, id="msg-1", sentAt=None) == ALREADY
    assert track(lab, id="msg-2", sentAt=None).recorded
    assert track(lab, id="msg-1", userId=user(2)).recorded, "another user's push of the same id is another push"


def test_what_no_rule_asks_for_is_not_kept(lab: Lab) -> None:
    assert track(lab, layerId=1) == Tracked(recorded=False, reason="layer_bypasses")
    assert track(lab, sentAt="2026-01-01T00:00:00Z") == Tracked(recorded=False, reason="too_old")
    assert history(lab) == []


def test_every_wrong_field_of_a_tracked_push_is_named(lab: Lab) -> None:
    with pytest.raises(BadFields) as refused:
        track_notification(lab.ports, {"layerId": 9, "sentAt": "2027-01-01T00:00:00Z"})
    assert [error.field for error in refused.value.errors] == ["userId", "layerId", "sentAt"]
    with pytest.raises(BadFields, match="id: must be a text of 1 to 100 characters, got 7"):
        track(lab, id=7)


@pytest.mark.long
def test_what_a_user_got_names_recipe_and_text_and_its_source(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=2)]))
    track(lab, title="From elsewhere")
    lab.run_to_the_end()
    sent, tracked = history(lab)
    known = {"outcome": "sent", "reason": "", "test": False}
    assert tracked == {"layerId": 3, "sentAt": YESTERDAY, "source": "tracked", "name": "From elsewhere", **known}
    assert sent == {
        "layerId": 2,
        "sentAt": "2026-03-02T18:30:00Z",
        "source": "execution",
        "executionId": lab.id,
        "executionStatus": "completed",
        "push": 1,
        "recipeId": "welcome",
        "recipeName": "Welcome",
        "title": "Push 1 for Name 1",
        "body": "Your Shoe 1 waits",
        "deepLink": "https://kicks.example/shoes",
        **known,
    }


@pytest.mark.slow
def test_what_a_user_got_of_an_execution_that_is_gone_is_still_shown(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=2)]))
    lab.run_to_the_end()
    executions: Any = _Forgetful()
    ports = replace(lab.ports, executions=executions)
    [sent] = notifications_of(ports, user(1), until=lab.clock.now(), days=14).notifications
    assert (sent.execution_id, sent.push, sent.recipe_id) == (lab.id, 1, None)


class _Forgetful:
    def get(self, _: str) -> None:
        return None

    def search(self, *_: Any, **__: Any) -> list[Any]:
        return []


def test_only_so_many_days_can_be_looked_back(lab: Lab) -> None:
    with pytest.raises(BadInput, match="91 days: at least 1 and at most 90"):
        notifications_of(lab.ports, user(1), until=lab.clock.now(), days=91)
