"""What becomes of messages that may or may not have arrived: kept as unknown, or sent once more."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.push.outcomes import Chunk, Envelope, Message, Outcome
from functions.ports.sending import PushSender
from local.embedded.clock import VirtualClock
from local.embedded.outbox import OutboxSender, OutcomeScript
from tests.factories import push, recipe, user
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.crashes import Crash

pytestmark = pytest.mark.slow

MakeLab = Callable[..., Lab]


class _Doubtful(PushSender):
    """Answers `unknown` for a user's first messages, as many as told, and then whatever comes after."""

    def __init__(self, doubts: dict[str, list[Outcome]]) -> None:
        self._doubts = doubts
        self.sent: Counter[tuple[int, str]] = Counter()

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        for chunk in chunks:
            yield chunk.number, [self._answer(envelope, message.user_id) for message in chunk.messages]

    def _answer(self, envelope: Envelope, user_id: str) -> Outcome:
        if not envelope.test:
            self.sent[envelope.push, user_id] += 1
        return self._doubts[user_id].pop(0) if self._doubts.get(user_id) else Outcome.SENT


class _Dying(PushSender):
    """Lets the process die at a chunk, before or after its messages have left."""

    def __init__(self, sender: PushSender, at: int, *, left: bool) -> None:
        self._sender, self._at, self._left = sender, at, left

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        for number, chunk in enumerate(chunks):
            if number == self._at and not self._left:
                raise Crash
            answer = list(self._sender.send(envelope, [chunk]))
            if number == self._at:
                raise Crash
            yield from answer


UNKNOWN, NOT_SENT, DEAD = Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.DEAD_TOKEN


@pytest.fixture
def run(make_lab: MakeLab) -> Callable[..., tuple[Lab, _Doubtful]]:
    """Run a push to four users; the first gets these answers."""

    def run_one(*answers: Outcome, **settings: Any) -> tuple[Lab, _Doubtful]:
        sender = _Doubtful({user(0): list(answers)})
        lab = make_lab(chunk_rows=2, wrap=lambda ports: replace(ports, sender=sender))
        changes = {f"settings__{name}": value for name, value in settings.items()}
        lab.save(recipe(pushSequence=[push(1, layerId=3)], **changes))
        lab.run_to_the_end()
        return lab, sender

    return run_one


def outcome(lab: Lab) -> tuple[int, int, int]:
    numbers = lab.report()["pushes"][0]
    assert numbers["sent"] + numbers["failed"] + numbers["unknown"] == numbers["audienceSize"] == 4
    return numbers["sent"], numbers["failed"], numbers["unknown"]


def test_an_unknown_message_is_not_sent_again_by_default(run: Any) -> None:
    lab, sender = run(UNKNOWN)
    assert (outcome(lab), sender.sent[1, user(0)]) == ((3, 0, 1), 1)


@pytest.mark.parametrize(
    ("answers", "expected", "requests"),
    [
        ([UNKNOWN], (4, 0, 0), 2),
        ([UNKNOWN, UNKNOWN], (3, 0, 1), 2),
        ([UNKNOWN, DEAD], (3, 0, 1), 2),
        ([UNKNOWN, NOT_SENT], (4, 0, 0), 3),
        ([NOT_SENT, UNKNOWN], (4, 0, 0), 3),
    ],
)
def test_a_recipe_that_asks_for_it_has_an_unknown_message_sent_once_more(
    answers: list[Outcome], expected: tuple[int, int, int], requests: int, run: Any
) -> None:
    lab, sender = run(*answers, onUnknown="resend")
    assert lab.report()["status"] == "completed"
    assert (outcome(lab), sender.sent[1, user(0)]) == (expected, requests)
    assert set(sender.sent.values()) - {requests} == {1}


def test_what_a_dead_worker_left_unknown_is_sent_once_more_too(make_lab: MakeLab) -> None:
    sent: Counter[str] = Counter()

    class _Dies(PushSender):
        def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
            for chunk in chunks:
                if not envelope.test:
                    sent.update(message.user_id for message in chunk.messages)
                if not envelope.test and sum(sent.values()) == 2:
                    raise Crash("the process dies with two messages on their way")
                yield chunk.number, [Outcome.SENT] * len(chunk.messages)

    lab = make_lab(chunk_rows=2, wrap=lambda ports: replace(ports, sender=_Dies()))
    lab.save(recipe(pushSequence=[push(1)], settings__onUnknown="resend"))
    with pytest.raises(Crash):
        lab.run_to(SEND_AT)
    lab.restart().run_to_the_end()
    assert outcome(lab) == (4, 0, 0)
    assert sorted(sent.values()) == [1, 1, 2, 2]


def test_a_value_that_means_nothing_is_refused_by_its_field(make_lab: MakeLab) -> None:
    lab = make_lab()
    with pytest.raises(Exception, match=r"settings\.onUnknown") as refused:
        lab.save(recipe(settings__onUnknown="perhaps"))
    assert "keep" in str(refused.value)


@pytest.mark.long
@pytest.mark.parametrize("left", [False, True], ids=["before it left", "after it left"])
@pytest.mark.parametrize("at", range(4))
def test_the_outbox_is_asked_what_has_left_so_that_a_kill_leaves_nothing_in_doubt(
    at: int, left: bool, make_lab: MakeLab
) -> None:
    lab = make_lab(chunk_rows=2)
    lab.write_users({"a": range(8), "b": [8], "c": [9]})
    lab.save(recipe())
    lab.run_to(SEND_AT - timedelta(seconds=1))
    lab.wrap = lambda ports: replace(ports, sender=_Dying(ports.sender, at, left=left))
    lab.restart()
    with pytest.raises(Crash):
        lab.run_to(SEND_AT + timedelta(minutes=1))
    lab.wrap = lambda ports: ports
    lab.restart().run_to_the_end()
    totals = lab.report()["totals"]
    assert (lab.report()["status"], totals["sent"], totals["unknown"]) == ("completed", 10, 0)
    assert len(lab.outbox(test=False)) == 10


def test_a_message_that_was_taken_before_a_look_up_does_not_leave_after_it(tmp_path: Path) -> None:
    sender = OutboxSender(tmp_path / "outbox.jsonl", VirtualClock(SEND_AT), OutcomeScript())
    envelope = Envelope(execution_id="e", recipe_id="r", push=1, test=False, dry_run=False)
    message = Message("user", "token", "title", "body", None)

    def chunks() -> Iterator[Chunk]:
        yield Chunk(number=0, messages=[message], most_per_second=1)
        assert OutboxSender(tmp_path / "outbox.jsonl", VirtualClock(SEND_AT), OutcomeScript()).ask(envelope) == {
            "user": Outcome.SENT
        }
        yield Chunk(number=1, messages=[message._replace(user_id="late")], most_per_second=1)

    assert [outcomes for _, outcomes in sender.send(envelope, chunks())] == [[Outcome.SENT], [Outcome.NOT_SENT]]
    assert len((tmp_path / "outbox.jsonl").read_text().splitlines()) == 1


def test_a_look_up_finds_messages_whose_outcome_is_unknown(tmp_path: Path) -> None:
    script = OutcomeScript(by_token={"silent": Outcome.UNKNOWN})
    sender = OutboxSender(tmp_path / "outbox.jsonl", VirtualClock(SEND_AT), script)
    envelope = Envelope(execution_id="e", recipe_id="r", push=1, test=False, dry_run=False)
    message = Message("user", "silent", "title", "body", None)
    both = [message._replace(user_id="two", token="heard"), message._replace(user_id="two")]
    assert list(sender.send(envelope, [Chunk(number=0, messages=[message, *both], most_per_second=1)]))
    assert sender.ask(envelope) == {"user": Outcome.UNKNOWN, "two": Outcome.SENT}


@pytest.mark.long
def test_unknown_outcomes_say_why_and_what_resend_would_do(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(0): Outcome.UNKNOWN}))
    lab.save(recipe())
    lab.run_to_the_end()
    assert lab.report()["unknownWhy"] == (
        "unknown outcomes: 1 because FCM did not answer; each may have arrived, and none is sent again "
        "(settings.onUnknown is keep); with resend each would be sent a second time, which replaces the first on the "
        "phone"
    )
