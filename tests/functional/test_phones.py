"""Phones that change hands, users with several phones, and ids that come with white space around them."""

import io
from collections.abc import Callable
from functools import partial

import pytest

from functions.domain.audience.dead_tokens import bury
from functions.domain.audience.partition import partition_of
from functions.domain.ids import UserIdFormat, user_digest
from functions.domain.push.outcomes import Outcome
from functions.domain.push.shard import PushFiles
from functions.usecases.by_hand.send_once import OneOff, send_once, users_file
from functions.usecases.cadence.filter_audience import filter_audience
from local.embedded.outbox import OutcomeScript
from tests.factories import TESTER, push, recipe, user
from tests.functional.conftest import SEND_AT, Lab

pytestmark = pytest.mark.slow

MakeLab = Callable[..., Lab]
FIRST, SECOND, THIRD = user(0), user(1), user(2)
OTHER_TESTER = "00000000-0000-4000-8000-00000000000b"
TOMORROW = "welcome_20260303T183000Z"


def sold_phone(lab: Lab) -> None:
    """Have the first user's phone registered by the second since."""
    devices = [(FIRST, "phone"), (SECOND, "phone"), (TESTER, "tester's")]
    lab.write_devices(devices, days=[1, 2, 1])


def sent(lab: Lab, *, test: bool = False) -> list[tuple[int, str, str, str]]:
    return [(m["push"], m["userId"], m["token"], m["title"]) for m in lab.outbox(test=test)]


def excluded(lab: Lab, execution: str = "") -> list[dict[str, int]]:
    return [numbers["excluded"] for numbers in lab.report(execution)["pushes"]]


def test_two_users_of_one_phone_in_one_audience_are_one_message_to_its_owner(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_users({"a": [0, 1]})
    sold_phone(lab)
    lab.save(recipe(pushSequence=[push(1, audienceName="a")]))
    lab.run_to_the_end()
    assert sent(lab) == [(1, SECOND, "phone", "Push 1 for Name 1")]
    assert excluded(lab) == [{"no_token": 1}]
    assert "push 1: 2 users in a, 1 devices to send to" in [e.message for e in lab.ports.logs.of(lab.id)]


def test_the_owner_before_gets_nothing_on_a_phone_that_was_sold(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_users({"a": [0], "b": [1]})
    sold_phone(lab)
    lab.save(recipe(pushSequence=[push(1, audienceName="a"), push(2, audienceName="b")]))
    lab.run_to_the_end()
    assert sent(lab) == [(2, SECOND, "phone", "Push 2 for Name 1")]
    assert excluded(lab) == [{"no_token": 1}, {}]


@pytest.mark.parametrize("named", [True, False], ids=["named", "file"])
def test_a_one_off_reaches_the_owner_alone(make_lab: MakeLab, *, named: bool) -> None:
    lab = make_lab()
    sold_phone(lab)
    both = [FIRST, SECOND]
    source = users_file(both, lab.ports.policy) if named else io.BytesIO("\n".join(["user_id", *both]).encode())
    push_once = OneOff(written={"title": "Hi", "body": "b", "layerId": 1})
    execution = send_once(lab.ports, push_once, source, by="ann@example.com")
    lab.run_to_the_end()
    assert [(user_id, token) for _, user_id, token, _ in sent(lab)] == [(SECOND, "phone")]
    assert excluded(lab, execution.id) == [{"no_token": 1}]


def test_a_recipe_of_manual_ids_reaches_the_owner_alone(make_lab: MakeLab) -> None:
    lab = make_lab()
    sold_phone(lab)
    lab.write_table("user_admin_informations", ["user_id", "freeze_reason"], [])
    audience = {"manualUserIds": [FIRST, SECOND]}
    lab.save(recipe(audienceCriteria=audience, pushSequence=[push(1, title="Hi", body="There")]))
    lab.run_to_the_end()
    assert sent(lab) == [(1, SECOND, "phone", "Hi")]
    assert excluded(lab) == [{"no_token": 1}]


def test_two_test_users_of_one_phone_get_one_test_push(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_devices([(TESTER, "phone"), (OTHER_TESTER, "phone")], days=[1, 2])
    lab.save(recipe(settings={"testUserIds": [f" {TESTER}\t", OTHER_TESTER, " "]}, pushSequence=[push(1)]))
    lab.run_to_the_end()
    assert [(user_id, token) for _, user_id, token, _ in sent(lab, test=True)] == [(OTHER_TESTER, "phone")]
    assert "test_failed" in lab.violations(), "the other test user has no phone"


@pytest.mark.long
@pytest.mark.parametrize("per_user", [1, 2])
def test_the_newest_living_tokens_are_sent_to(make_lab: MakeLab, per_user: int) -> None:
    dead = {f"dead-{n}": Outcome.DEAD_TOKEN for n in range(3)}
    lab = make_lab(script=OutcomeScript(by_token=dead), devices_per_user=per_user)
    lab.write_users({"a": [0, 1]})
    tokens = ["dead-0", "dead-1", "new", "old", "older"]
    devices = [(FIRST, token) for token in tokens] + [(SECOND, "dead-2"), (TESTER, "t")]
    lab.write_devices(devices, days=[9, 8, 7, 6, 5, 9, 1])
    lab.save(recipe(pushSequence=[push(order, audienceName="a") for order in range(1, 5)]))
    lab.run_to(SEND_AT.replace(day=3, hour=19))
    got = [(number, token) for number, _, token, _ in sent(lab) if not token.startswith("dead")]
    at_once = [(3, "new"), (4, "new")] if per_user == 1 else [(2, "new"), (2, "old"), (3, "new"), (3, "old")]
    assert got[: len(at_once)] == at_once, "a push finds what died at the push before it"
    assert excluded(lab)[1:] == [{"dead_token": 1}] * 3, "the user whose only token is dead"
    assert excluded(lab, TOMORROW) == [{"dead_token": 1}] * 4
    told = [entry.message for entry in lab.ports.logs.of(TOMORROW)]
    assert f"push 1: 2 users in a, {per_user} devices to send to" in told
    assert lab.report(TOMORROW)["totals"]["sent"] == 4
    lab.assert_contract()


def test_what_may_have_arrived_on_one_phone_is_not_sent_to_another(make_lab: MakeLab) -> None:
    """The first request is in doubt, and another push finds the phone dead before it is repeated."""
    lab = make_lab(script=OutcomeScript(by_token={"new": Outcome.UNKNOWN}))
    lab.write_users({"a": [0]})
    lab.write_devices([(FIRST, "new"), (FIRST, "old"), (TESTER, "t")], days=[2, 1, 1])
    lab.save(
        recipe(settings={"testUserIds": [TESTER], "onUnknown": "resend"}, pushSequence=[push(1, audienceName="a")])
    )
    lab.run_to(SEND_AT)
    partition = partition_of(user_digest(FIRST))
    lab.ports.devices.bury(partition, partial(bury, tokens=["new"], at=SEND_AT))
    lab.run_to_the_end()
    assert [token for _, _, token, _ in sent(lab)] == ["new"]
    assert lab.report()["totals"]["unknown"] == 1


@pytest.mark.long
def test_the_manifest_of_the_release_before_says_how_many_devices_there_were(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to_the_end()
    files = lab.ports.shards.push(lab.id, 1)
    assert files is not None
    document = files.document()
    del document["devices"]
    assert PushFiles.read({**document, "deadTokens": 1}).devices == files.devices - 1 == 3


def test_ids_are_taken_without_the_white_space_around_them(make_lab: MakeLab) -> None:
    lab = make_lab(user_id_format=UserIdFormat.ANY)
    lab.write_devices([(" jo", "tok-1 "), ("al\t", "\ttok-2")])
    written = {"title": "Hi", "body": "b", "layerId": 1}
    files = (io.BytesIO(b"name,user_id\nJo, jo\t\nAl,al\nJo,jo \n"), users_file([" jo", "al "], lab.ports.policy))
    for source in files:
        before = len(sent(lab))
        execution = send_once(lab.ports, OneOff(written=written), source, by="ann@example.com")
        lab.run_to_the_end() if not before else lab.run_to(SEND_AT.replace(hour=23))
        assert {(user_id, token) for _, user_id, token, _ in sent(lab)[before:]} == {("jo", "tok-1"), ("al", "tok-2")}
        assert lab.report(execution.id)["totals"]["sent"] == 2
    found = filter_audience(lab.ports, [" jo", "jo", "al "], 3)
    assert (found.eligible, found.excluded_count) == ([" jo", "al "], 1)
