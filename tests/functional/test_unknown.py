"""What becomes of messages of which nobody can say whether they arrived: kept as unknown, or sent once more."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from functions.domain.delivery import Chunk, Envelope, Outcome
from functions.ports import PushSender
from tests.factories import push, recipe, user
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.crashes import Crash

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


UNKNOWN, NOT_SENT, DEAD = Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.DEAD_TOKEN


@pytest.fixture
def run(make_lab: MakeLab) -> Callable[..., tuple[Lab, _Doubtful]]:
    """Run a push to four users, of whom the first gets these answers."""

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
