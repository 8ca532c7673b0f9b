"""What is stored of one push: its files with their partitions, and its shards with one byte for each row."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.domain.audience.partition import Index
from functions.domain.instants import instant, stamp
from functions.domain.push.outcomes import FAILURES, IN_DOUBT, NOT_REACHED, Tally, settled, tally

LEASE = timedelta(seconds=60)
"""How long a worker may be silent before another takes its shard over; longer than any chunk takes to send."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file as it was written once: its generation and checksum prove that a later read is of the same."""

    name: str
    generation: int
    checksum: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class IndexedFile:
    """A stored CSV and where its partitions lie."""

    stored: Stored
    index: Index


@dataclass(frozen=True, kw_only=True)
class AudienceFile:
    """An audience as people see it, and beside it the device tokens of its users, deleted at cleanup."""

    rows: IndexedFile
    devices: IndexedFile

    @property
    def size(self) -> int:
        """Users of the audience, valid or not."""
        return self.rows.index.row_count


@dataclass(frozen=True, kw_only=True)
class PushFiles:
    """The manifest of one push: its live audience and its TEST audience.

    `devices` are those of the live audience to send to, as it was built; its file has some more of each user, in case
    that the newer die before the send. `dead_tokens` are the users whose devices FCM had all called dead by then.
    """

    execution_id: str
    push: int
    audience: str
    live: AudienceFile
    test: AudienceFile
    devices: int = 0
    dead_tokens: int = 0

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
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "PushFiles":
        """Read what `document` wrote, or a release whose files had the devices to send to and no others."""
        live, dead = _read_audience(document["live"]), document["deadTokens"]
        return cls(
            execution_id=document["executionId"],
            push=document["push"],
            audience=document["audience"],
            live=live,
            test=_read_audience(document["test"]),
            devices=document.get("devices", live.devices.index.row_count - dead),
            dead_tokens=dead,
        )


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A run of whole partitions of one push that one worker sends; `outcomes` holds one byte for each row.

    `version` counts writes: a worker that has lost the shard to another cannot write it any more. `under_way` are the
    rows whose requests had left when their worker learned that the execution may send no more.
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
        """What became of the shard's users."""
        return tally(self.outcomes)

    @property
    def settled(self) -> bytes:
        """The outcomes after the shard's worker is gone: a request without a result has an unknown outcome."""
        return settled(self.outcomes)

    @property
    def unsent(self) -> list[int]:
        """The rows whose users were not sent to, or in vain."""
        return [position for position, code in enumerate(self.outcomes) if code == NOT_REACHED or code in FAILURES]

    def waiting(self, *, resend: bool) -> int:
        """Return how many rows are still to be sent: those not reached, and with `resend` those in doubt."""
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
        """Read what `document` wrote, or what a store made of it that keeps bytes as they are."""
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


def live_tally(size: int, shards: Iterable[Shard]) -> Tally:
    """Return what became of a live audience of `size` users; those of shards not planned yet are not reached."""
    reached = sum((shard.tally for shard in shards if not shard.test), Tally())
    return reached + Tally(audience_size=size - reached.audience_size)


def done_tally(shards: Iterable[Shard]) -> Tally:
    """Return the sum of the live shards that are done, with exclusions under "all", as stores keep it up to date."""
    found = sum((shard.tally for shard in shards if shard.done and not shard.test), Tally())
    excluded = sum(found.excluded.values())
    return replace(found, excluded={"all": excluded} if excluded else {})


def live_key(push: int, number: int) -> str:
    """Return the key of a live shard by its push and number."""
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
