"""What is stored of a push: its files and its shards."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.audience.partition import PARTITIONS, Index
from functions.domain.push.outcomes import FAILED, INTENT, NOT_REACHED, SENT, UNKNOWN
from functions.domain.push.shard import (
    AudienceFile,
    IndexedFile,
    PushFiles,
    Shard,
    Stored,
    live_key,
    live_tally,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_shard(outcomes: bytes = b"..", **changes: object) -> Shard:
    fields: dict[str, object] = {
        "execution_id": "e",
        "push": 2,
        "number": 7,
        "test": False,
        "partitions": range(3, 9),
        **changes,
    }
    return Shard(outcomes=outcomes, **fields)  # type: ignore[arg-type]


def a_file(name: str, rows: int) -> IndexedFile:
    return IndexedFile(
        stored=Stored(name=name, generation=1_700_000_000_000_000, checksum="crc", size_bytes=rows * 40),
        index=Index(
            columns=("user_id", "name"), start=13, rows=(0,) * 255 + (rows,), ends=(13,) * 255 + (rows * 40,)
        ),
    )


def an_audience(rows: int) -> AudienceFile:
    return AudienceFile(rows=a_file("a.csv", rows), devices=a_file("a.devices.csv", rows + 1))


def test_a_manifest_comes_back_from_json_as_it_was() -> None:
    files = PushFiles(execution_id="e", push=1, audience="läufer", live=an_audience(9), test=an_audience(1))
    read = PushFiles.read(json.loads(json.dumps(files.document())))
    assert read == files
    assert (read.live.size, read.test.size) == (9, 1), "users, not devices"
    assert hash(read.live.rows.index) == hash(files.live.rows.index)


@given(
    outcomes=st.binary(max_size=200),
    bounds=st.tuples(st.integers(0, PARTITIONS), st.integers(0, PARTITIONS)),
    lease=st.none() | st.datetimes(datetime(2020, 1, 1), timezones=st.just(UTC)),
    done=st.booleans(),
    test=st.booleans(),
    version=st.integers(0),
)
def test_a_shard_comes_back_from_json_as_it_was(
    outcomes: bytes, bounds: tuple[int, int], lease: datetime | None, done: bool, test: bool, version: int
) -> None:
    shard = a_shard(outcomes, partitions=range(*bounds), lease_until=lease, done=done, test=test, version=version)
    read = Shard.read(json.loads(json.dumps(shard.document())))
    assert read == shard
    assert (read.partitions.start, read.partitions.stop) == bounds


def test_a_shard_is_named_by_its_push_and_number_and_the_test_by_its_push() -> None:
    assert a_shard().key == live_key(2, 7) == "2-7"
    assert a_shard(test=True).key == "2-test"
    assert len({live_key(push, number) for push in range(1, 21) for number in range(256)}) == 20 * 256


@given(st.lists(st.sampled_from([NOT_REACHED, INTENT, SENT, FAILED, UNKNOWN, ord("a")])).map(bytes))
def test_settling_turns_requests_without_a_result_into_unknown_and_touches_nothing_else(outcomes: bytes) -> None:
    shard = a_shard(outcomes)
    assert a_shard(shard.settled).tally == shard.tally
    assert INTENT not in shard.settled
    assert all(new == old for new, old in zip(shard.settled, outcomes, strict=True) if old != INTENT)


def test_only_users_who_surely_got_nothing_are_released() -> None:
    assert a_shard(b".ISFUab").unsent == [0, 3]


@given(
    planned=st.lists(st.binary(max_size=40), max_size=6),
    later=st.integers(0, 50),
    tested=st.binary(max_size=5),
)
def test_an_audience_is_accounted_for_before_during_and_after_its_shards(
    planned: list[bytes], later: int, tested: bytes
) -> None:
    size = sum(map(len, planned)) + later
    shards = [a_shard(outcomes, number=number) for number, outcomes in enumerate(planned)]
    total = live_tally(size, [*shards, a_shard(tested, test=True)], {0xE0: "cadence:weekly"})
    parts = (total.sent, total.failed, total.unknown, total.not_reached, *total.excluded.values())
    assert sum(parts) == total.audience_size == size
    assert total.not_reached >= later
    assert min(parts) >= 0
