"""The stored state of one push: its files with their partitions, and its shards with one byte per row."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from functions.domain.audience.partition import Index
from functions.domain.instants import instant, stamp
from functions.domain.push.outcomes import FAILURES, IN_DOUBT, NOT_REACHED, RuleBytes, Tally, settled, tally


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A stored file. Its generation and checksum prove that a later read returns the same content."""

    name: str
    generation: int
    checksum: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class IndexedFile:
    """A stored CSV with the positions of its partitions."""

    stored: Stored
    index: Index


@dataclass(frozen=True, kw_only=True)
class AudienceFile:
    """An audience as people see it, and the device tokens of its users, which are deleted at cleanup."""

    rows: IndexedFile
    devices: IndexedFile

    @property
    def size(self) -> int:
        """The number of users, valid or not."""
        return self.rows.index.row_count


@dataclass(frozen=True, kw_only=True)
class PushFiles:
    """The manifest of one push: its live audience and its TEST audience.

    `devices` is the number of devices to send to, when the live audience was built. The file has a few more per user,
    in case newer devices die before the send. `dead_tokens` is the number of users whose devices were all dead by
    then, `opted_out` that of users who wanted no such pushes. `languages` counts devices by the translation that
    they get, and `untranslated` by locales without one; see `languages.py`. `test_languages` are the translations
    that test users get, an empty tag for the push's own text: that of the first user comes first.
    """

    execution_id: str
    push: int
    audience: str
    live: AudienceFile
    test: AudienceFile
    devices: int = 0
    dead_tokens: int = 0
    opted_out: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    untranslated: Mapping[str, int] = field(default_factory=dict)
    test_languages: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        """Return the manifest as it is stored."""
        return {
            "executionId": self.execution_id,
            "push": self.push,
            "audience": self.audience,
            "live": _write_audience(self.live),
            "test": _write_audience(self.test),
            "devices": self.devices,
            "deadTokens": self.dead_tokens,
            "optedOut": self.opted_out,
            "languages": dict(self.languages),
            "untranslated": dict(self.untranslated),
            "testLanguages": list(self.test_languages),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "PushFiles":
        """Read what `document` wrote, also in a release whose files had only the devices to send to."""
        live, dead = _read_audience(document["live"]), document["deadTokens"]
        return cls(
            execution_id=document["executionId"],
            push=document["push"],
            audience=document["audience"],
            live=live,
            test=_read_audience(document["test"]),
            devices=document.get("devices", live.devices.index.row_count - dead),
            dead_tokens=dead,
            opted_out=document.get("optedOut", 0),
            languages=document.get("languages", {}),
            untranslated=document.get("untranslated", {}),
            test_languages=tuple(document.get("testLanguages", ())),
        )


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Consecutive partitions of one push, sent by one worker. `outcomes` has one byte per row.

    `version` counts writes: a worker that lost the shard to another one cannot write it any more. `under_way` counts
    the rows whose requests had left when the worker noticed the stop of the execution.
    """

    execution_id: str
    push: int
    number: int
    test: bool
    partitions: range
    outcomes: bytes
    lease_until: datetime | None = None
    done: bool = False
    under_way: int = 0
    version: int = 0

    @property
    def key(self) -> str:
        """The shard's name within its execution."""
        return f"{self.push}-test" if self.test else live_key(self.push, self.number)

    @property
    def tally(self) -> Tally:
        """The shard's users by outcome, without the names of a workspace's cadence rules; see `live_tally`."""
        return tally(self.outcomes)

    @property
    def settled(self) -> bytes:
        """The outcomes after the worker is gone: a request without a result has an unknown outcome."""
        return settled(self.outcomes)

    @property
    def unsent(self) -> list[int]:
        """The rows without a message: not sent, or failed."""
        return [position for position, code in enumerate(self.outcomes) if code == NOT_REACHED or code in FAILURES]

    def waiting(self, *, resend: bool) -> int:
        """Return how many rows still have to be sent: those not reached, and with `resend` those in doubt."""
        codes = (NOT_REACHED, *IN_DOUBT) if resend else (NOT_REACHED,)
        return sum(map(self.outcomes.count, codes))

    def document(self) -> dict[str, Any]:
        """Return the shard as it is stored."""
        return {
            "executionId": self.execution_id,
            "push": self.push,
            "number": self.number,
            "test": self.test,
            "partitions": [self.partitions.start, self.partitions.stop],
            "outcomes": b64encode(self.outcomes).decode(),
            "leaseUntil": stamp(self.lease_until),
            "done": self.done,
            "underWay": self.under_way,
            "version": self.version,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Shard":
        """Read what `document` wrote, or its form in a store that keeps raw bytes."""
        outcomes = document["outcomes"]
        return cls(
            execution_id=document["executionId"],
            push=document["push"],
            number=document["number"],
            test=document["test"],
            partitions=range(*document["partitions"]),
            outcomes=b64decode(outcomes) if isinstance(outcomes, str) else outcomes,
            lease_until=instant(document["leaseUntil"]) if document["leaseUntil"] else None,
            done=document["done"],
            under_way=document["underWay"],
            version=document["version"],
        )


def live_tally(size: int, shards: Iterable[Shard], rules: RuleBytes) -> Tally:
    """Return the tally of a live audience of `size` users, given the bytes of the execution's cadence rules.

    Users of shards that are not planned yet are not reached.
    """
    reached = sum((tally(shard.outcomes, rules) for shard in shards if not shard.test), Tally())
    return reached + Tally(audience_size=size - reached.audience_size)


def done_tally(shards: Iterable[Shard]) -> Tally:
    """Return the sum of the live shards that are done, with exclusions under "all": the sum that stores keep."""
    found = sum((shard.tally for shard in shards if shard.done and not shard.test), Tally())
    excluded = sum(found.excluded.values())
    return replace(found, excluded={"all": excluded} if excluded else {})


def live_key(push: int, number: int) -> str:
    """Return the key of a live shard, given its push and number."""
    return f"{push}-{number}"


def _write_audience(audience: AudienceFile) -> dict[str, Any]:
    return {"rows": _write_file(audience.rows), "devices": _write_file(audience.devices)}


def _read_audience(document: Mapping[str, Any]) -> AudienceFile:
    return AudienceFile(rows=_read_file(document["rows"]), devices=_read_file(document["devices"]))


def _write_file(file: IndexedFile) -> dict[str, Any]:
    return {"stored": vars(file.stored), "index": vars(file.index)}


def _read_file(document: Mapping[str, Any]) -> IndexedFile:
    index = document["index"]
    return IndexedFile(
        stored=Stored(**document["stored"]),
        index=Index(
            columns=tuple(index["columns"]),
            start=index["start"],
            rows=tuple(index["rows"]),
            ends=tuple(index["ends"]),
        ),
    )
