"""What every PushSender does, and what the outbox adds."""

import json
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.errors import StoreUnavailable
from functions.domain.push.outcomes import Chunk, Envelope, Message, Outcome
from functions.gcp.fcm.messages import message_writer
from local.embedded.clock import VirtualClock
from local.embedded.outbox import OutboxSender, OutcomeScript
from tests.fcm import a_push

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Make = Callable[..., Any]


def envelope(**fields: Any) -> Envelope:
    given: dict[str, Any] = {"execution_id": "daily_20261123T180000Z", "recipe_id": "daily", "push": 1, "test": False}
    return Envelope(**(given | {"dry_run": False} | fields))


def send(sender: Any, messages: Sequence[Message], **fields: Any) -> list[Outcome]:
    """Send messages as one chunk and return their outcomes."""
    [(number, outcomes)] = sender.send(envelope(**fields), [a_chunk(messages, number=7)])
    assert number == 7
    return list(outcomes)


def a_chunk(messages: Sequence[Message], number: int = 0) -> Chunk:
    return Chunk(number=number, messages=messages, most_per_second=1e9)


@pytest.fixture
def outbox(tmp_path: Path) -> Callable[..., OutboxSender]:
    def open_outbox(**script: Any) -> OutboxSender:
        return OutboxSender(tmp_path / "outbox.jsonl", VirtualClock(NOON), OutcomeScript(**script))

    return open_outbox


def test_each_message_gets_an_outcome_in_order(ports: Any, a_message: Make) -> None:
    sender = ports.sender({"b": Outcome.DEAD_TOKEN, "c": Outcome.UNKNOWN})
    outcomes = send(sender, [a_message(token) for token in "abcd"])
    assert outcomes == [Outcome.SENT, Outcome.DEAD_TOKEN, Outcome.UNKNOWN, Outcome.SENT]
    assert list(sender.send(envelope(), [])) == []
    assert send(sender, []) == []


def test_every_chunk_that_was_taken_is_answered(ports: Any, a_message: Make) -> None:
    sender = ports.sender({"3": Outcome.BAD_MESSAGE})
    chunks = [a_chunk([a_message(str(number))], number) for number in range(5)]
    answers = dict(sender.send(envelope(), iter(chunks)))
    assert answers == {number: [Outcome.BAD_MESSAGE if number == 3 else Outcome.SENT] for number in range(5)}


def test_a_line_of_the_outbox_is_readable_and_its_keys_are_in_order(
    outbox: Make, a_message: Make, tmp_path: Path
) -> None:
    message = a_message("tok", deep_link="https://x.y/ß")
    sent = envelope(content=a_push(deepLink="[[var:link]]"))
    list(outbox().send(sent, [a_chunk([message])]))
    line = (tmp_path / "outbox.jsonl").read_text()
    assert line.startswith(
        '{"at":"2026-11-23T12:00:00Z","executionId":"daily_20261123T180000Z","push":1,"userId":"user-tok",'
        '"token":"tok","title":"Hallo Zoë 👟","body":"Größe 44","deepLink":"https://x.y/ß","test":false,'
        '"locale":null,"tm":"daily_20261123T180000Z.1.0","fcm":{"token":"tok","notification":{"title":"Hallo Zoë 👟"'
    )
    posted = json.loads(message_writer(sent, NOON, timedelta(hours=4))(message))
    assert json.loads(line)["fcm"] == posted["message"], "exactly what FCM would get"


def test_only_messages_that_may_have_arrived_are_written(outbox: Make, a_message: Make, tmp_path: Path) -> None:
    by_token = {outcome.value: outcome for outcome in Outcome}
    send(outbox(by_token=by_token), [a_message(token) for token in by_token])
    lines = (tmp_path / "outbox.jsonl").read_text().splitlines()
    assert [json.loads(line)["token"] for line in lines] == ["sent", "unknown"]


def test_a_dry_run_answers_as_scripted_and_writes_nothing(outbox: Make, a_message: Make, tmp_path: Path) -> None:
    sender = outbox(by_token={"b": Outcome.BAD_MESSAGE})
    outcomes = send(sender, [a_message("a"), a_message("b")], dry_run=True)
    assert outcomes == [Outcome.SENT, Outcome.BAD_MESSAGE]
    assert (tmp_path / "outbox.jsonl").read_bytes() == b""


def test_a_script_decides_by_token_then_by_user_then_by_rate(outbox: Make, a_message: Make) -> None:
    script = {"by_token": {"a": Outcome.SENT}, "by_user": {"u": Outcome.DEAD_TOKEN}, "rates": {Outcome.NOT_SENT: 1.0}}
    messages = [a_message("a", user_id="u"), a_message("b", user_id="u"), a_message("c")]
    assert send(outbox(**script), messages) == [Outcome.SENT, Outcome.DEAD_TOKEN, Outcome.NOT_SENT]


def test_rates_hold_roughly_and_a_token_gets_the_same_outcome_each_time(outbox: Make, a_message: Make) -> None:
    sender = outbox(rates={Outcome.DEAD_TOKEN: 0.1, Outcome.UNKNOWN: 0.3})
    messages = [a_message(f"token-{number}") for number in range(5_000)]
    outcomes = send(sender, messages, dry_run=True)
    assert outcomes == send(sender, messages, dry_run=True)
    assert 400 < outcomes.count(Outcome.DEAD_TOKEN) < 600
    assert 1_350 < outcomes.count(Outcome.UNKNOWN) < 1_650


@pytest.mark.parametrize("torn", [b'{"at":"2026', b'{"at":"' + b"x" * 200_000, '{"title":"👟'.encode()[:-1]])
@pytest.mark.parametrize("whole", [b"", b'{"token":"first"}\n'])
def test_a_line_that_a_killed_process_tore_is_cut_off_at_start(
    outbox: Make, a_message: Make, tmp_path: Path, torn: bytes, whole: bytes
) -> None:
    path = tmp_path / "outbox.jsonl"
    path.write_bytes(whole + torn)
    sender = outbox()
    assert path.read_bytes() == whole
    path.write_bytes(whole + torn)
    send(sender, [a_message("next")])
    tokens = [json.loads(line)["token"] for line in path.read_text().splitlines()]
    assert tokens == (["first", "next"] if whole else ["next"])


def test_chunks_of_concurrent_workers_do_not_mix(
    outbox: Make, a_message: Make, at_once: Make, tmp_path: Path
) -> None:
    def send_one(number: int) -> None:
        send(outbox(), [a_message(f"{number}-{position}") for position in range(200)], push=number)

    at_once(8, send_one)
    pushes = [json.loads(line)["push"] for line in (tmp_path / "outbox.jsonl").read_text().splitlines()]
    runs = [push for position, push in enumerate(pushes) if position == 0 or pushes[position - 1] != push]
    assert len(pushes) == 1_600
    assert len(runs) == 8


def test_the_outbox_takes_all_lines_of_a_chunk_or_none_when_the_disk_fills_up(
    outbox: Make, a_message: Make, tmp_path: Path
) -> None:
    sender = outbox()
    send(sender, [a_message("a")])
    path = tmp_path / "outbox.jsonl"
    size = path.stat().st_size
    chunks = [a_chunk([a_message("b"), a_message("c")], 1), a_chunk([a_message("d")], 2)]
    sending = sender.send(envelope(), chunks)
    with largest_file(size + 300):  # the first of two lines still fits
        assert next(sending) == (1, [Outcome.NOT_SENT, Outcome.NOT_SENT])
        with pytest.raises(StoreUnavailable, match=r"outbox\.jsonl"):
            next(sending)
    assert path.stat().st_size == size
    assert send(sender, [a_message("b"), a_message("c")]) == [Outcome.SENT, Outcome.SENT]
    assert [json.loads(line)["token"] for line in path.read_text().splitlines()] == ["a", "b", "c"]


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let this process write no file beyond a size, as on a disk that fills up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
