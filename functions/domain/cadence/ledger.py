"""The cadence ledger: which push was reserved for which user, packed by partition of users and by UTC day.

A packed day is a run of blocks, one for each push of each execution:
`length of the push's key (2) | instant (4) | layer (1) | users (4) | the push's key | user keys (8 each)`,
big-endian. User keys ascend, as in the audience files: so a shard's users and a block's are two sorted arrays, and
numpy finds what they have in common.
"""

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from functions.domain.cadence.rules import CadenceRule, Days, HeldBack, Push, Window
from functions.domain.errors import LedgerFull
from functions.domain.ids import USER_KEY_BYTES
from functions.domain.push.outcomes import Exclusion

MOST_DAY_BYTES = 1_000_000
"""Firestore limits a value to 1 MiB less 89 bytes: firebase.google.com/docs/firestore/quotas. So a day holds some
120,000 reservations a partition, 32 million in all."""

_HEADER = struct.Struct(">HIBI")
_STORED = np.dtype(">u8")

Keys = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """What reserving yields: the users held back, and the days to write in the same transaction."""

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

    Idempotent: users that this push has reserved before stay reserved. `days` are the packed bytes of
    `days_to_read`. Raises LedgerFull where the push's day cannot hold them.
    """
    wanted = _keys(users)
    blocks = [block for day in days.values() for block in _blocks(day)]
    own = _own(blocks, push)
    free = wanted[~_among(own, wanted)]
    reasons: dict[int, Exclusion] = {}
    for rule in rules:
        for key in free[_counts(rule, blocks, push, free) >= rule.count].tolist():
            reasons.setdefault(key, rule.reason)
    granted = free if not reasons else free[~_among(_sorted(reasons), free)]
    return Reservation(
        held_back={key.to_bytes(USER_KEY_BYTES, "big"): reason for key, reason in reasons.items()},
        writes={push.day: _replace(days.get(push.day, b""), push, np.union1d(own, granted))} if len(granted) else {},
    )


def release(days: Days, push: Push, users: Sequence[bytes]) -> Days:
    """Return the push's day without the given users: they were never sent to."""
    day = days.get(push.day, b"")
    own = _own(_blocks(day), push)
    return {push.day: _replace(day, push, own[~_among(_keys(users), own)])}


def withdraw(days: Days, key: bytes, users: Sequence[bytes]) -> Days:
    """Return those of the days that hold a push, without the given users: for who knows the push's key only."""
    found = ((day, block) for day, packed in days.items() for block in _blocks(packed) if block.push == key)
    pushes = {day: Push(key=key, layer=block.layer, at=block.at) for day, block in found}
    return {day: release({day: days[day]}, push, users)[day] for day, push in pushes.items()}


def add_sent(day: bytes, sends: Mapping[Push, Sequence[bytes]]) -> tuple[bytes, int]:
    """Return a packed day with pushes that were sent before, whatever the rules say of them, and how many are new.

    `sends` are the keys of users by push, all of that day. Who has a push of the same layer and second is left out:
    it is the same one. Raises LedgerFull where the day cannot hold them.
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
    """Return the pushes that packed days hold for a user's key, the oldest first."""
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
    """Count each user's other pushes that fill the rule; near pushes count on either side of ours."""
    window = Window(rule, push)
    near = [
        block.users
        for block in blocks
        if block.layer in rule.layers and block.push != push.key and window.holds(block.at)
    ]
    if not near or not len(users):
        return np.zeros(len(users), np.int64)
    # All blocks at once: imported history has one for each second in which somebody was sent something.
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
    """Say for each key whether it is one of the members; both ascend."""
    if not len(members):
        return np.zeros(len(keys), np.bool_)
    places = np.minimum(np.searchsorted(members, keys), len(members) - 1)
    return np.equal(members[places], keys)


def _keys(users: Sequence[bytes]) -> Keys:
    return np.unique(np.frombuffer(b"".join(users), _STORED).astype(np.uint64))


def _sorted(keys: Collection[int]) -> Keys:
    return np.sort(np.fromiter(keys, np.uint64, len(keys)))
