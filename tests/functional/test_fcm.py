"""Whole executions over the real sender and an FCM that fails: every message once, every number right."""

import csv
import io
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.push.outcomes import Chunk, Envelope, Message, Outcome
from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.ports import Ports
from functions.ports.sending import PushSender
from functions.usecases.timeline.control import stop
from local.standins.fcm import FakeFcm, Script, Share, answers
from tests.conftest import MakeFcm
from tests.factories import TESTER, push, recipe, user
from tests.fcm import settings_for
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.crashes import Crash, CrashPoint, shares

pytestmark = pytest.mark.slow

MakeLab = Callable[..., Lab]
MINUTE = timedelta(minutes=1)
PARTS = 12
"""Into how many tests the crashes are cut."""
ONE_PUSH = recipe(pushSequence=[push(1, layerId=3)])


def over(sender: PushSender) -> Callable[[Ports], Ports]:
    return lambda ports: replace(ports, sender=sender)


def live_requests(fcm: FakeFcm) -> Counter[tuple[str, str]]:
    """How many requests FCM read for each push (by its tag) and device."""
    return Counter((r.body["message"]["android"]["notification"]["tag"], r.token) for r in fcm.requests)


def assert_one_request_a_message(fcm: FakeFcm) -> None:
    assert [message for message, count in live_requests(fcm).items() if count > 1] == []


def assert_adds_up(lab: Lab) -> dict[str, Any]:
    """Assert that the parts are the audience; return the first push's numbers."""
    for numbers in lab.report()["pushes"]:
        parts = sum(numbers[part] for part in ("sent", "failed", "unknown", "notReached"))
        assert parts + sum(numbers["excluded"].values()) == numbers["audienceSize"]
    first: dict[str, Any] = lab.report()["pushes"][0]
    return first


def receipt(lab: Lab) -> list[dict[str, str]]:
    text = (lab.state / "receipts" / f"{lab.id}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_an_execution_reaches_every_device_once_over_the_wire(make_lab: MakeLab, make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    lab = make_lab(wrap=over(sender))
    lab.save()
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    assert_one_request_a_message(fcm)
    tokens = Counter(request.token for request in fcm.requests)
    assert tokens == {f"token-{TESTER}": 3} | {f"token-{user(n)}": 1 for n in range(9)}
    assert {request.body["message"]["fcm_options"]["analytics_label"] for request in fcm.requests} == {
        "welcome-1",
        "welcome-2",
        "welcome-3",
    }


@pytest.mark.long
def test_a_dry_run_asks_fcm_to_validate_and_sends_nothing(make_lab: MakeLab, make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    lab = make_lab(wrap=over(sender))
    lab.save(recipe(audienceCriteria__testMode=True))
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.report()["totals"]["sent"]) == ("completed", 9)
    delivered = [request.token for request in fcm.requests if "validate_only" not in request.body]
    assert delivered == [f"token-{TESTER}"] * 3


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
def test_an_fcm_that_fails_in_every_way_at_once_leaves_exact_totals(
    make_lab: MakeLab, make_fcm: MakeFcm, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    shares = [
        Share(of_tokens=0.05, answer=answers.unavailable()),
        Share(of_tokens=0.04, answer=answers.UNREGISTERED),
        Share(of_tokens=0.02, answer=answers.INVALID_TOKEN),
        Share(of_tokens=0.003, answer=answers.DROPPED),
        Share(of_tokens=0.01, answer=answers.quota_exceeded(retry_after=1), times=1),
    ]
    fcm, _ = make_fcm()
    lab = make_lab(chunk_rows=100, shard_rows=300)
    lab.wrap = over(FcmSender(settings_for(fcm), _BothClocks(lab)))
    lab.restart().write_users({"a": range(1_000), "b": [2_000], "c": [2_001]})
    lab.save(recipe(pushSequence=[push(1, layerId=3)], settings__safeguards={"alertThresholds": {"failureRate": 1}}))
    lab.run_to(SEND_AT - MINUTE)
    fcm.script = Script(shares=shares, seed=seed)
    with caplog.at_level(logging.DEBUG):
        lab.run_to_the_end()
    numbers = assert_adds_up(lab)
    assert_one_request_except_after_a_refusal(fcm)
    read = {request.token: request.answered for request in fcm.requests}
    known = Counter(read[f"token-{user(n)}"] for n in range(1_000) if f"token-{user(n)}" in read)
    assert numbers["sent"] <= known[answers.SENT.name]
    assert numbers["failed"] <= known[answers.UNREGISTERED.name] + known[answers.INVALID_TOKEN.name]
    assert numbers["sent"] + numbers["failed"] + numbers["unknown"] == 1_000
    assert numbers["sent"] > 500
    assert numbers["unknown"] >= known[answers.unavailable().name] + known[answers.DROPPED.name]
    assert numbers["notReached"] == 0
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("hpack")]
    assert ours
    assert [line for line in ours if "token-" in line] == []
    outcomes = Counter(row["outcome"] for row in receipt(lab))
    assert outcomes == Counter({name: numbers[name] for name in ("sent", "failed", "unknown")})


class _BothClocks(SystemClock):
    """Seconds that pass in the laboratory and on the machine: a wait that FCM asks for is over when both say so."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def seconds(self) -> float:
        return super().seconds() + self._lab.clock.now().timestamp()


def assert_one_request_except_after_a_refusal(fcm: FakeFcm) -> None:
    """A 429 was refused and is sent again; whatever may have been delivered is not."""
    refusal = answers.quota_exceeded().name
    counts = Counter(request.token for request in fcm.requests if request.answered != refusal)
    assert [token for token, count in counts.items() if count > 1 and token != f"token-{TESTER}"] == []


@pytest.mark.long
def test_a_failure_rate_above_the_threshold_stops_the_rest(make_lab: MakeLab, make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    lab = make_lab(wrap=over(sender), chunk_rows=50)
    lab.write_users({"a": range(2_000), "b": [2_000], "c": [2_001]})
    lab.save(ONE_PUSH)
    lab.run_to(SEND_AT - MINUTE)
    fcm.script = Script(shares=[Share(of_tokens=0.2, answer=answers.unavailable())])
    lab.run_to_the_end()
    numbers = assert_adds_up(lab)
    assert (lab.report()["status"], lab.violations()) == ("stopped", ["failure_rate"])
    assert numbers["notReached"] > 1_500
    assert_one_request_a_message(fcm)


@pytest.mark.long
def test_wrong_credentials_block_the_execution_at_the_test_and_say_what_to_change(
    make_lab: MakeLab, make_fcm: MakeFcm
) -> None:
    fcm, sender = make_fcm(script=Script(default=answers.PERMISSION_DENIED))
    lab = make_lab(wrap=over(sender))
    lab.save()
    lab.run_to_the_end()
    assert lab.report()["status"] == "blocked"
    assert "misconfigured" in lab.violations()
    assert "grant it cloudmessaging.messages.create" in (lab.state / "alerts.jsonl").read_text()
    assert {request.token for request in fcm.requests} == {f"token-{TESTER}"}


@pytest.mark.long
def test_a_key_that_expires_in_the_live_phase_stops_it(make_lab: MakeLab, make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    lab = make_lab(wrap=over(sender), chunk_rows=2)
    lab.write_users({"a": range(100), "b": [2_000], "c": [2_001]})
    lab.save(ONE_PUSH)
    lab.run_to(SEND_AT - MINUTE)
    fcm.script = Script(first=[answers.SENT] * 4, default=answers.THIRD_PARTY_AUTH_ERROR)
    lab.run_to_the_end()
    numbers = assert_adds_up(lab)
    assert (lab.report()["status"], lab.violations()) == ("stopped", ["misconfigured"])
    assert numbers["sent"] == 4
    assert 4 < numbers["failed"] < 20
    assert_one_request_a_message(fcm)


class _StopsAfter(PushSender):
    """Somebody presses emergency stop when so many chunks of the live send have been taken."""

    def __init__(self, ports: Ports, inner: PushSender, chunks: int) -> None:
        self._ports, self._inner, self._chunks = ports, inner, chunks

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        return self._inner.send(envelope, chunks if envelope.test else self._stopping(envelope, chunks))

    def _stopping(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        for taken, chunk in enumerate(chunks, start=1):
            if taken == self._chunks:
                stop(self._ports, envelope.execution_id, "stop!")
            yield chunk


@pytest.mark.long
@pytest.mark.parametrize("chunks", [1, 3, 6])
def test_a_stop_starts_no_further_chunk_and_says_what_was_under_way(
    make_lab: MakeLab, make_fcm: MakeFcm, chunks: int
) -> None:
    fcm, sender = make_fcm(script=Script(default=answers.SENT.after(0.02)))
    lab = make_lab(wrap=lambda ports: replace(ports, sender=_StopsAfter(ports, sender, chunks)), chunk_rows=100)
    lab.write_users({"a": range(2_000), "b": [2_000], "c": [2_001]})
    lab.save(ONE_PUSH)
    lab.run_to_the_end()
    numbers = assert_adds_up(lab)
    assert lab.report()["status"] == "stopped"
    assert numbers["sent"] == 100 * chunks, "those that were taken, and no other"
    assert 100 <= numbers["underWayAtStop"] <= 400
    log = [entry.message for entry in lab.ports.logs.of(lab.id)]
    assert any(f"{numbers['underWayAtStop']:,} were under way when it was stopped" in line for line in log)
    assert_one_request_a_message(fcm)


class _BreaksAt(Sequence[Message]):
    """The messages of a chunk; the process dies when the one at `at` is about to leave."""

    def __init__(self, messages: Sequence[Message], at: int) -> None:
        self._messages, self._at = messages, at

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, position: Any) -> Any:
        if position == self._at:
            raise Crash(f"message {position}")
        return self._messages[position]


class _BreaksOnce(PushSender):
    """A sender whose process dies, once, within a chunk of a live push."""

    def __init__(self, inner: PushSender, chunk: int, message: int) -> None:
        self._inner, self._left, self._message = inner, chunk, message

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        return self._inner.send(envelope, chunks if envelope.test else map(self._perhaps, chunks))

    def _perhaps(self, chunk: Chunk) -> Chunk:
        self._left -= 1
        return replace(chunk, messages=_BreaksAt(chunk.messages, self._message)) if self._left == 0 else chunk


def run_through_crashes(lab: Lab) -> None:
    """Run to the end, starting the process again wherever it dies."""
    while True:
        try:
            lab.run_to(SEND_AT + timedelta(hours=1))
        except Crash:
            lab.restart()
        else:
            return


def a_campaign(make_lab: MakeLab, wrap: Callable[[Ports], Ports]) -> Lab:
    """A push to ten users, four of them held back, up to the minute before it goes live."""
    lab = make_lab(chunk_rows=2)
    lab.write_users({"a": range(10), "b": [20], "c": [21]}, without_token=[3])
    lab.save(ONE_PUSH)
    lab.run_to(SEND_AT - MINUTE)
    lab.wrap = wrap
    return lab.restart()


@pytest.mark.long
@pytest.mark.parametrize(("chunk", "message"), [(1, 0), (1, 1), (2, 1), (4, 0), (4, 1), (5, 0)])
def test_a_crash_between_two_messages_of_a_chunk_repeats_none_and_loses_no_count(
    make_lab: MakeLab, make_fcm: MakeFcm, chunk: int, message: int
) -> None:
    fcm, sender = make_fcm()
    breaking = _BreaksOnce(sender, chunk, message)
    lab = a_campaign(make_lab, over(breaking))
    run_through_crashes(lab)
    assert_one_request_a_message(fcm)
    numbers = assert_adds_up(lab)
    assert (lab.report()["status"], numbers["notReached"]) == ("completed", 0)
    assert 0 < numbers["unknown"] <= 8


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True], ids=["before", "after"])
@pytest.mark.parametrize("part", shares(PARTS))
def test_a_crash_at_any_call_of_a_live_send_repeats_no_request(
    make_lab: MakeLab, make_fcm: MakeFcm, part: int, after: bool
) -> None:
    fcm, sender = make_fcm(script=Script(tokens={f"token-{user(5)}": answers.UNREGISTERED}))
    counting = CrashPoint(None)
    run_through_crashes(a_campaign(make_lab, lambda ports: counting.wrap(replace(ports, sender=sender))))
    assert {"shards.save", "sender.send step", "ledger.transact", "devices.bury"} <= set(counting.calls)
    for place in counting.ends_of_sites()[part::PARTS]:
        before = len(fcm.requests)
        point = CrashPoint(place, after=after)
        lab = a_campaign(make_lab, lambda ports, point=point: point.wrap(replace(ports, sender=sender)))  # type: ignore[misc]
        run_through_crashes(lab)
        tokens = Counter(request.token for request in fcm.requests[before:])
        assert max(tokens.values()) == 1, counting.calls[place]
        numbers = assert_adds_up(lab)
        assert (lab.report()["status"], numbers["excluded"]) == ("completed", {"no_token": 1})
        lab.close()
