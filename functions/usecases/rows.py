"""The rows of a shard: read by range, joined with their devices, rendered, and excluded where they must be."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from functions.domain.delivery import NOT_REACHED, PAYLOAD_LIMIT_BYTES, Exclusion, Message, payload_bytes
from functions.domain.fields import PushFields
from functions.domain.ids import is_user_id, user_digest, user_key
from functions.domain.partition import read_rows
from functions.domain.shard import AudienceFile, IndexedFile, Shard
from functions.ports import Ports


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A row that may be sent to: its place in the shard, and its messages or the reason why there are none."""

    position: int
    user_id: str
    messages: Sequence[Message] = ()
    excluded: Exclusion | None = None


def candidates(ports: Ports, push: PushFields, audience: AudienceFile, shard: Shard) -> Iterator[Candidate]:
    """Yield the rows of a shard that have no outcome yet; cadence is judged later, for those that can be sent to."""
    tokens = _tokens(ports, audience.devices, shard.partitions)
    dead = ports.devices.dead([token for owned in tokens.values() for token in owned])
    columns = audience.rows.index.columns
    previous = b""
    for position, row in enumerate(_read(ports, audience.rows, shard.partitions)):
        user_id, digest = row[0], user_digest(row[0])
        repeated, previous = digest == previous, digest
        if shard.outcomes[position] != NOT_REACHED:
            continue
        reason: Exclusion | None = None
        alive: list[str] = []
        if not is_user_id(user_id, ports.policy.user_id_format):
            reason = Exclusion.INVALID_USER_ID
        elif repeated:
            reason = Exclusion.DUPLICATE_USER_ID
        elif not tokens[user_id]:
            reason = Exclusion.NO_TOKEN
        else:
            alive = [token for token in tokens[user_id] if token not in dead]
            reason = None if alive else Exclusion.DEAD_TOKEN
        if reason is not None:
            yield Candidate(position=position, user_id=user_id, excluded=reason)
        else:
            yield _render(push, dict(zip(columns, row, strict=True)), position, alive)


def row_keys(ports: Ports, audience: AudienceFile, shard: Shard) -> list[bytes]:
    """Return the cadence ledger's key of each row of a shard."""
    return [user_key(row[0]) for row in _read(ports, audience.rows, shard.partitions)]


def _render(push: PushFields, row: dict[str, str], position: int, tokens: Sequence[str]) -> Candidate:
    user_id = row["user_id"]
    title, body = push.title.render(row), push.body.render(row)
    link = None if push.deep_link is None else push.deep_link.render(row)
    if title is None or body is None or (link is None and push.deep_link is not None):
        return Candidate(position=position, user_id=user_id, excluded=Exclusion.MISSING_VARIABLE)
    if payload_bytes(title, body, link) > PAYLOAD_LIMIT_BYTES:
        return Candidate(position=position, user_id=user_id, excluded=Exclusion.PAYLOAD_TOO_LARGE)
    messages = [Message(user_id=user_id, token=token, title=title, body=body, deep_link=link) for token in tokens]
    return Candidate(position=position, user_id=user_id, messages=messages)


def _tokens(ports: Ports, devices: IndexedFile, partitions: range) -> dict[str, list[str]]:
    tokens: dict[str, list[str]] = defaultdict(list)
    for user_id, token, *_ in _read(ports, devices, partitions):
        tokens[user_id].append(token)
    return tokens


def _read(ports: Ports, file: IndexedFile, partitions: range) -> Iterator[list[str]]:
    start, end = file.index.byte_range(partitions)
    return read_rows(ports.files.read(file.stored, start, end))
