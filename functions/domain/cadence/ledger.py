"""The cadence ledger: which push was reserved for which user, packed by partition of users and by UTC day.

A packed day is a run of blocks, one for each push of each execution: `length of the push's key (2) | instant (4) |
layer (1) | users (4) | the push's key | user keys (8 each)`, big-endian. User keys are sorted, as in the audience
files, so numpy can intersect the users of a shard with those of a block.
"""

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from functions.domain.cadence.rules import CadenceRule, Days, HeldBack, Push, Window
from functions.domain.errors import LedgerFull
from functions.domain.ids import USER_KEY_BYTES

MOST_DAY_BYTES = 1_000_000
"""Firestore limits a value to 1 MiB minus 89 bytes: firebase.google.com/docs/firestore/quotas. So a day holds about
120,000 reservations per partition, 32 million in total."""

_HEADER = struct.Struct(">HIBI")
_STORED = np.dtype(">u8")

Keys = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The result of `reserve`: the users held back, and the days to write in the same transaction."""

    held_back: HeldBack
    writes: Days


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """One push that a user was reserved: its key in the ledger, its layer, and the instant it was due."""

    push: str
    layer: int
    at: datetime


def reserve(days: Days, push: Push, users: Sequence[bytes], rules: Sequence[CadenceRule]) -> Reservation:
    """Reserve a push for the users that no rule holds back.

    Idempotent: users already reserved for this push stay reserved. `days` are the packed bytes of `days_to_read`.
    Raises LedgerFull if the push's day has no room for them.
    """
    wanted = _keys(users)
    blocks = [block for day in days.values() for block in _blocks(day)]
    own = _own(blocks, push)
    free = wanted[~_among(own, wanted)]
    reasons: dict[int, str] = {}
    for rule in rules:
        for key in free[_counts(rule, blocks, push, free) >= rule.count].tolist():
            reasons.setdefault(key, rule.reason)
    granted = free if not reasons else free[~_among(_sorted(reasons), free)]
    return Reservation(
        held_back={key.to_bytes(USER_KEY_BYTES, "big"): reason for key, reason in reasons.items()},
        writes={push.day: _replace(days.get(push.day, b""), push, np.union1d(own, granted))} if len(granted) else {},
    )


def release(days: Days, push: Push, users: Sequence[bytes]) -> Days:
    """Return the push's day without the given users, who were never sent the push."""
    day = days.get(push.day, b"")
    own = _own(_blocks(day), push)
    return {push.day: _replace(day, push, own[~_among(_keys(users), own)])}


def withdraw(days: Days, key: bytes, users: Sequence[bytes]) -> Days:
    """Return the days that hold a push, without the given users, for callers that only have the push's key."""
    found = ((day, block) for day, packed in days.items() for block in _blocks(packed) if block.push == key)
    pushes = {day: Push(key=key, layer=block.layer, at=block.at) for day, block in found}
    return {day: release({day: days[day]}, push, users)[day] for day, push in pushes.items()}


def forget(days: Days, user: bytes) -> Days:
    """Return the days that hold pushes for a user's key, without them."""
    gone, changed = _keys([user]), dict[date, bytes]()
    for day, packed in days.items():
        blocks = list(_blocks(packed))
        if any(_among(block.users, gone).all() for block in blocks):
            changed[day] = b"".join(_without(block, gone) for block in blocks)
    return changed


def _without(block: "_Block", gone: Keys) -> bytes:
    """Return a block without users; no bytes if it has no others."""
    left = block.users[~_among(gone, block.users)]
    push = Push(key=block.push, layer=block.layer, at=block.at)
    return _pack(push, left) if len(left) else b""


def add_sent(day: bytes, sends: Mapping[Push, Sequence[bytes]]) -> tuple[bytes, int]:
    """Add past pushes to a packed day regardless of the rules, and return the day and the number of new ones.

    `sends` are the keys of users by push, all of that day. A user who has a push of the same layer and second is
    skipped: it is the same push. Raises LedgerFull if the day has no room for them.
    """
    blocks = {block.push: block.packed for block in _blocks(day)}
    users = {block.push: block.users for block in _blocks(day)}
    same: dict[tuple[int, int], list[Keys]] = defaultdict(list)
    for block in _blocks(day):
        same[int(block.at.timestamp()), block.layer].append(block.users)
    added = 0
    for push, keys in sends.items():
        others = same[int(push.at.timestamp()), push.layer]
        new = _keys(keys)
        for known in others:
            new = new[~_among(known, new)]
        if len(new):
            others.append(new)
            users[push.key] = np.union1d(users.get(push.key, _keys([])), new)
            blocks[push.key] = _pack(push, users[push.key])
            added += len(new)
    packed = b"".join(blocks.values())
    if added and len(packed) > MOST_DAY_BYTES:
        raise LedgerFull(f"the cadence ledger cannot hold {added:,} pushes more of that day in one partition")
    return packed, added


def reserved(days: Days, user: bytes) -> list[Reserved]:
    """Return the pushes in packed days for a user's key, oldest first."""
    wanted = _keys([user])
    found = [
        Reserved(push=block.push.decode(errors="replace"), layer=block.layer, at=block.at)
        for day in days.values()
        for block in _blocks(day)
        if _among(block.users, wanted).all()
    ]
    return sorted(found, key=lambda push: (push.at, push.push))


@dataclass(frozen=True)
class _Block:
    push: bytes
    at: datetime
    layer: int
    users: Keys
    packed: bytes


def _blocks(day: bytes) -> Iterator[_Block]:
    start = 0
    while start < len(day):
        key_length, seconds, layer, count = _HEADER.unpack_from(day, start)
        key_start = start + _HEADER.size
        users_start = key_start + key_length
        end = users_start + count * USER_KEY_BYTES
        users = np.frombuffer(day, _STORED, count, users_start).astype(np.uint64)
        at = datetime.fromtimestamp(seconds, UTC)
        yield _Block(day[key_start:users_start], at, layer, users, day[start:end])
        start = end


def _own(blocks: Iterable[_Block], push: Push) -> Keys:
    return next((block.users for block in blocks if block.push == push.key), _keys([]))


def _counts(rule: CadenceRule, blocks: Iterable[_Block], push: Push, users: Keys) -> NDArray[np.int64]:
    """Count each user's other pushes within the rule's window, before and after this push."""
    window = Window(rule, push)
    near = [
        block.users
        for block in blocks
        if block.layer in rule.layers and block.push != push.key and window.holds(block.at)
    ]
    if not near or not len(users):
        return np.zeros(len(users), np.int64)
    # All blocks at once: imported history has one block for each second with a push.
    theirs = np.concatenate(near)
    places = np.minimum(np.searchsorted(users, theirs), len(users) - 1)
    return np.bincount(places[users[places] == theirs], minlength=len(users))


def _replace(day: bytes, push: Push, users: Keys) -> bytes:
    others = b"".join(block.packed for block in _blocks(day) if block.push != push.key)
    if not len(users):
        return others
    packed = others + _pack(push, users)
    if len(packed) > MOST_DAY_BYTES:
        raise LedgerFull(f"the cadence ledger of {push.day} cannot hold {len(users):,} users more in one partition")
    return packed


def _pack(push: Push, users: Keys) -> bytes:
    header = _HEADER.pack(len(push.key), int(push.at.timestamp()), push.layer, len(users))
    return header + push.key + users.astype(_STORED).tobytes()


def _among(members: Keys, keys: Keys) -> NDArray[np.bool_]:
    """Return for each key whether it is among the members; both are sorted."""
    if not len(members):
        return np.zeros(len(keys), np.bool_)
    places = np.minimum(np.searchsorted(members, keys), len(members) - 1)
    return np.equal(members[places], keys)


def _keys(users: Sequence[bytes]) -> Keys:
    return np.unique(np.frombuffer(b"".join(users), _STORED).astype(np.uint64))


def _sorted(keys: Collection[int]) -> Keys:
    return np.sort(np.fromiter(keys, np.uint64, len(keys)))
