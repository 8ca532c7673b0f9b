"""A push sender that writes messages to a file for people instead of sending them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from functions.domain.errors import StoreUnavailable
from functions.domain.instants import stamp
from functions.domain.person import Person
from functions.domain.policy import Policy
from functions.domain.push.fcm_message import message_writer
from functions.domain.push.outcomes import Chunk, Envelope, Message, Outcome
from functions.ports.queue import Clock
from local.embedded.documents import to_text
from local.embedded.json_lines import JsonLines

_MAY_HAVE_ARRIVED = frozenset({Outcome.SENT, Outcome.UNKNOWN})
_ERASED = dict.fromkeys(("userId", "token", "title", "body"), "") | {"deepLink": None}
"""What a line tells of an erased user. It is shorter than any line of a user."""


@dataclass(frozen=True, kw_only=True)
class OutcomeScript:
    """Outcomes of messages: by token, else by user, else a share of all tokens, else `default`.

    `rates` are shares between 0 and 1; a token falls into the same one each time.
    """

    by_token: Mapping[str, Outcome] = field(default_factory=dict)
    by_user: Mapping[str, Outcome] = field(default_factory=dict)
    rates: Mapping[Outcome, float] = field(default_factory=dict)
    default: Outcome = Outcome.SENT

    def outcome(self, message: Message) -> Outcome:
        """Return the outcome of a message."""
        if message.token in self.by_token:
            return self.by_token[message.token]
        if message.user_id in self.by_user:
            return self.by_user[message.user_id]
        return self._by_rate(message.token) if self.rates else self.default

    def _by_rate(self, token: str) -> Outcome:
        digest = hashlib.blake2b(token.encode(), digest_size=8).digest()
        place = int.from_bytes(digest, "big") / 2**64
        for outcome, rate in self.rates.items():
            if place < rate:
                return outcome
            place -= rate
        return self.default


class OutboxSender:
    """Implements PushSender: appends one JSON line for each message that left, or may have left.

    Messages have `time_to_live` unless their push says otherwise.
    """

    def __init__(
        self, path: Path, clock: Clock, script: OutcomeScript, time_to_live: timedelta = Policy.time_to_live
    ) -> None:
        self._lines = JsonLines(path)
        self._asked = path.with_name(f"{path.name}.asked")
        self._clock = clock
        self._script = script
        self._time_to_live = time_to_live

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        """Yield each chunk's outcomes, one chunk under way at a time; a dry run writes nothing.

        Nothing of a chunk is sent that the disk does not take; StoreUnavailable then follows its outcomes. Nor is
        anything sent after another worker has asked what has left of the push.
        """
        asked = self._times_asked(envelope)
        for chunk in chunks:
            try:
                outcomes = self._answer(envelope, chunk.messages, asked)
            except StoreUnavailable:
                yield chunk.number, [Outcome.NOT_SENT] * len(chunk.messages)
                raise
            yield chunk.number, outcomes

    def ask(self, envelope: Envelope) -> Mapping[str, Outcome]:
        """Play AskableSender: a line in the file is a message that left, with the outcome of the script."""
        found: dict[str, Outcome] = {}
        with self._lines.held() as content:
            with self._asked.open("a", encoding="utf-8") as asked:
                asked.write(f"{envelope.collapse_key}\n")
            for line in map(json.loads, content.splitlines()):
                if (line["executionId"], line["push"], line["test"]) == _names(envelope):
                    message = Message(line["userId"], line["token"], line["title"], line["body"], line["deepLink"])
                    outcome = self._script.outcome(message)
                    found[message.user_id] = max(outcome, found.get(message.user_id, outcome), key=_is_sent)
        return found

    def messages_of(self, person: Person) -> Sequence[Mapping[str, object]]:
        """Play RememberingSender: return the lines that name a user."""
        with self._lines.held() as content:
            lines = list(map(json.loads, content.splitlines()))
        return [line for line in lines if next(person.found_in(line), None) is not None]

    def forget(self, person: Person) -> int:
        """Play RememberingSender: leave of a user's lines which push they were, and when."""

        def erased(line: bytes) -> bytes | None:
            document = json.loads(line)
            if next(person.found_in(document), None) is None:
                return None
            kept = to_text(person.erased_from(document)).encode()
            if not person.is_me(document["userId"]) and len(kept) <= len(line):
                return kept
            rest = {name: document[name] for name in ("at", "executionId", "push", "test")}
            return to_text({**rest, **_ERASED}).encode()

        return self._lines.replace(erased)

    def _times_asked(self, envelope: Envelope) -> int:
        try:
            return self._asked.read_text(encoding="utf-8").splitlines().count(envelope.collapse_key)
        except FileNotFoundError:
            return 0

    def _answer(self, envelope: Envelope, messages: Sequence[Message], asked: int) -> Sequence[Outcome]:
        outcomes = [self._script.outcome(message) for message in messages]
        if not envelope.dry_run:
            now = self._clock.now()
            write = message_writer(envelope, now, self._time_to_live)
            pairs = zip(messages, outcomes, strict=True)
            left = [message for message, outcome in pairs if outcome in _MAY_HAVE_ARRIVED]
            lines = "".join(_line(envelope, message, write(message), now) for message in left).encode()
            if left and not self._lines.append(lines, unless=lambda: self._times_asked(envelope) != asked):
                return [Outcome.NOT_SENT] * len(messages)
        return outcomes


def _is_sent(outcome: Outcome) -> bool:
    return outcome is Outcome.SENT


def _names(envelope: Envelope) -> tuple[str, int, bool]:
    return envelope.execution_id, envelope.push, envelope.test


def _line(envelope: Envelope, message: Message, fcm: str, at: datetime) -> str:
    document: dict[str, Any] = {
        "at": stamp(at),
        "executionId": envelope.execution_id,
        "push": envelope.push,
        "userId": message.user_id,
        "token": message.token,
        "title": message.title,
        "body": message.body,
        "deepLink": message.deep_link,
        "test": envelope.test,
        "locale": message.language or None,
        "tm": envelope.attribution,
        "fcm": json.loads(fcm),
    }
    if data := envelope.content.data:
        document["data"] = {key: document["fcm"]["data"][key] for key in data}
    return to_text(document) + "\n"
