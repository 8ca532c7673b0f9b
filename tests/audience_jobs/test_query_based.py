"""Query-based audiences against a second implementation, sets and loops without SQL, on both engines."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audience_jobs.contract import Engine
from audience_jobs.errors import BadCriteria, MissingTable, StaleData
from local.sample import generate
from tests.audience_jobs.marketplace import DuckDBEngine, PostgresEngine, job_of, read_criteria
from tests.audience_jobs.postgres import fill
from tests.audience_jobs.test_reference import (
    NOW,
    Data,
    Row,
    as_field,
    databases,
    lowest,
    md5_of,
    owners_of_rows,
    read_csv,
    rows_of,
    shoes_that_exist,
    some,
    target_shoe,
    tradeable,
    undeleted,
    within,
    write_tables,
)
from tests.examples import examples

DAY = timedelta(days=1)
QUERY = """SELECT id AS user_id, username, created_at AS joined, completed_trades_count + 1 AS "nextTrade"
    FROM users WHERE bio IS NOT NULL"""
PACKS = ("topTargetShoe", "hottestShoeTraded", "hottestShoeOffers")


def csv_of(engine: Engine, written: Mapping[str, Any], path: Path) -> bytes:
    """Give the bytes of the audience that an `audienceCriteria` asks for."""
    with engine.run(job_of(read_criteria(written)), {}, now=NOW) as run:
        run.write_audience("default", path)
    return path.read_bytes()


# The reference


def newest(instants: list[datetime | None]) -> datetime | None:
    return max((instant for instant in instants if instant is not None), default=None)


def last_seen(data: Data, user_id: str) -> datetime | None:
    return newest([row["last_active"] for row in data["user_activities"] if row["user_id"] == user_id])


def last_trade(data: Data, user_id: str) -> datetime | None:
    sides = {row["id"]: (row["creator_user_id"], row["receiver_user_id"]) for row in data["offers"]}
    mine = [row for row in data["trades"] if user_id in sides.get(row["offer_id"], ())]
    return newest([at for row in mine if (at := row["validation_passed_date"]) and at <= NOW])


def standings(data: Data, user_id: str, column: str) -> list[Any]:
    return [row[column] for row in data["user_admin_informations"] if row["user_id"] == user_id]


def since(instant: datetime | None, days: int) -> bool:
    return instant is not None and instant >= NOW - days * DAY


def fits(data: Data, user: Row, asked: Mapping[str, Any]) -> bool:
    seen, traded = last_seen(data, user["id"]), last_trade(data, user["id"])
    candidate = True in standings(data, user["id"], "is_trusted_trader_candidate")
    trades = user["completed_trades_count"] or 0
    after = (
        datetime.fromisoformat(asked["joinedAfterDate"] + "T00:00:00+00:00") if "joinedAfterDate" in asked else NOW
    )
    rules: dict[str, Callable[[Any], bool]] = {
        "lastActiveDays": lambda days: since(seen, days),
        "daysSinceLastActive_inactive": lambda days: seen is not None and not since(seen, days),
        "tradedInLastDays": lambda days: since(traded, days),
        "notTradedInLastDays": lambda days: not since(traded, days),
        "minLifetimeTrades": lambda least: trades >= least,
        "maxLifetimeTrades": lambda most: trades <= most,
        "hasTrustedTrader": lambda wanted: bool(user["is_trusted_trader"]) == wanted,
        "isTrustedTraderCandidate": lambda wanted: candidate == wanted,
        "joinedAfterDate": lambda _: user["created_at"] >= after,
        "manualUserIds": lambda ids: user["id"] in ids,
    }
    return all(rules[name](value) for name, value in asked.items())


def hottest(data: Data, user_id: str, times: Counter[str | None]) -> tuple[str, ...]:
    shoes = shoes_that_exist(data)
    own = {row["product_variant_id"] for row in tradeable(data) if row["user_id"] == user_id}
    hot = [variant for variant in own if variant in shoes and times[variant]]
    best = min(hot, key=lambda variant: (-times[variant], lowest(variant)), default=None)
    return () if best is None else (shoes[best][0], best, str(times[best]))


def pack(data: Data, user_id: str, name: str) -> tuple[str, ...]:
    """Give what a pack adds for a user; nothing where the user lacks it."""
    items = {(row["offer_id"], row["product_variant_id"]) for row in data["offer_items"]}
    if name == "topTargetShoe":
        shoe = target_shoe(data, user_id)
        return shoe if shoe[1] else ()
    if name == "hottestShoeTraded":
        traded = [row for row in data["trades"] if within(row["validation_passed_date"], NOW - 30 * DAY, NOW)]
        return hottest(data, user_id, Counter(v for row in traded for offer, v in items if offer == row["offer_id"]))
    offers = [row for row in undeleted(data["offers"]) if within(row["created_at"], NOW - 7 * DAY, NOW)]
    standing = {row["id"] for row in offers if row["offer_status"] in ("OPEN", "PENDING")}
    return hottest(data, user_id, Counter(variant for offer, variant in items if offer in standing))


def reference(data: Data, written: Mapping[str, Any]) -> list[tuple[str, ...]]:
    frozen = {row["user_id"] for row in data["user_admin_informations"] if row["freeze_reason"]}
    asked = {
        **written.get("filters", {}),
        **({"manualUserIds": ids} if (ids := written.get("manualUserIds")) else {}),
    }
    fitting = [row for row in undeleted(data["users"]) if row["id"] not in frozen and fits(data, row, asked)]
    rows = []
    for user_id in {row["id"] for row in fitting}:
        mine = [row for row in fitting if row["id"] == user_id]
        names = [min(filter(None, (row.get(c) for row in mine)), default=None) for c in ("username", "first_name")]
        abouts: list[list[Any]] = [names]
        if "customQuery" in written:
            all_mine = [row for row in data["users"] if row["id"] == user_id and row["bio"]]
            counts = [row["completed_trades_count"] for row in all_mine]
            nexts = [None if count is None else count + 1 for count in counts]
            abouts = [[row.get("username"), row["created_at"], n] for row, n in zip(all_mine, nexts, strict=True)]
        packs = [pack(data, user_id, name) for name in written.get("dataPacks", ())]
        if all(packs):
            added = [value for values in packs for value in values]
            rows += [tuple(map(as_field, (user_id, *about, *added))) for about in abouts]
    return sorted(rows)


# Small databases and criteria: days on and beside the bounds, users who are there twice, deleted and frozen

STANDING = st.fixed_dictionaries(
    {"is_trusted_trader": some([True, False, None]), "completed_trades_count": some([0, 1, 1, 5, None])}
)


def add_standing(data: Data, standing: list[Row], receivers: list[str | None], admin: list[Row]) -> Data:
    users = [{**row, **standing[n % len(standing)]} for n, row in enumerate(data["users"])]
    offers = [{**row, "receiver_user_id": receivers[n % len(receivers)]} for n, row in enumerate(data["offers"])]
    return {**data, "users": users, "offers": offers, "user_admin_informations": admin}


worlds = st.builds(
    add_standing,
    databases,
    st.lists(STANDING, min_size=3, max_size=8),
    st.lists(owners_of_rows, min_size=1, max_size=5),
    rows_of(
        3,
        user_id=owners_of_rows,
        is_trusted_trader_candidate=some([True, True, False, None]),
        freeze_reason=some([None, None, None, None, "", "fraud"]),
    ),
)
days = some([1, 2, 2, 14])
filters: dict[str, st.SearchStrategy[Any]] = {
    "lastActiveDays": days,
    "daysSinceLastActive_inactive": some([1, 2]),
    "tradedInLastDays": days,
    "notTradedInLastDays": some([1, 2]),
    "minLifetimeTrades": some([0, 1]),
    "maxLifetimeTrades": some([1, 4, 5]),
    "hasTrustedTrader": st.booleans(),
    "isTrustedTraderCandidate": st.booleans(),
    "joinedAfterDate": some(["2026-11-22", "2026-11-10"]),
}
few_filters = st.sets(some(sorted(filters)), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries({name: filters[name] for name in sorted(names)})
)
criteria = st.fixed_dictionaries(
    {"filters": few_filters},
    optional={
        "dataPacks": st.lists(some(PACKS), min_size=1, max_size=2, unique=True),
        "manualUserIds": st.lists(some(["u1", "u10", "stranger", "x') OR true --"]), max_size=3),
        "customQuery": st.just(QUERY),
    },
)


def understood(written: Mapping[str, Any]) -> bool:
    try:
        read_criteria(written)
    except BadCriteria:
        return False
    return True


@pytest.mark.long
@examples(50, few=12)
@given(data=worlds, written=criteria)
def test_an_audience_is_what_the_reference_works_out(data: Data, written: Mapping[str, Any]) -> None:
    assume(understood(written))
    with TemporaryDirectory() as folder:
        write_tables(Path(folder), data)
        csv_of(DuckDBEngine(Path(folder)), written, Path(folder) / "out.csv")
        _, rows = read_csv(Path(folder) / "out.csv")
    assert sorted(rows) == reference(data, written)
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), key=md5_of)


@pytest.mark.long
@examples(10, few=2)
@given(data=worlds, asked=st.lists(criteria, min_size=3, max_size=3))
def test_ties_nulls_and_leftovers_come_out_alike_from_postgres(
    postgres: str, data: Data, asked: list[Mapping[str, Any]]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_tables(folder, data)
        fill(postgres, folder)
        for written in filter(understood, asked):
            expected = csv_of(DuckDBEngine(folder), written, folder / "out.csv")
            assert csv_of(PostgresEngine(postgres), written, folder / "out.csv") == expected


@pytest.mark.long
def test_a_sample_world_comes_out_alike_and_every_filter_and_pack_finds_users(postgres: str, tmp_path: Path) -> None:
    generate(tmp_path, users=2_000, seed=4, at=NOW)
    fill(postgres, tmp_path, id_type="uuid")
    _, members = read_csv(tmp_path / "users.csv")
    ids = [row[0].upper() for row in members[::2]]
    single = {
        "lastActiveDays": 30,
        "daysSinceLastActive_inactive": 30,
        "tradedInLastDays": 30,
        "notTradedInLastDays": 30,
        "minLifetimeTrades": 5,
        "maxLifetimeTrades": 4,
        "hasTrustedTrader": True,
        "isTrustedTraderCandidate": True,
        "joinedAfterDate": "2026-11-01",
        "manualUserIds": ids,
    }
    everybody = csv_of(DuckDBEngine(tmp_path), {}, tmp_path / "out.csv").count(b"\n")
    asked: list[dict[str, Any]] = [{"filters": {name: value}} for name, value in single.items()]
    for written in [*asked, {"dataPacks": list(PACKS), "customQuery": QUERY}]:
        expected = csv_of(DuckDBEngine(tmp_path), written, tmp_path / "out.csv")
        assert csv_of(PostgresEngine(postgres), written, tmp_path / "out.csv") == expected
        assert 3 < expected.count(b"\n") < everybody, f"{written} finds no user or all users"


# What one example says better


def test_a_hundred_thousand_given_ids_are_one_bound_value(tmp_path: Path) -> None:
    known = [f"10000000-0000-4000-8000-{n:012d}" for n in range(0, 100_000, 1000)]
    write_tables(tmp_path, {"users": [{"id": user_id, "deleted_at": 0} for user_id in known]})
    ids = [f"10000000-0000-4000-8000-{n:012d}" for n in range(100_000)]
    found = csv_of(DuckDBEngine(tmp_path), {"manualUserIds": ids}, tmp_path / "out.csv").decode()
    assert len(found.splitlines()) == 1 + len(known)


@pytest.mark.parametrize("pack_name", PACKS)
def test_a_pack_names_its_columns(pack_name: str) -> None:
    (audience,) = job_of(read_criteria({"dataPacks": [pack_name]})).audiences
    prefix = {"topTargetShoe": "top_target_shoe", "hottestShoeTraded": "hottest_shoe_traded"}.get(
        pack_name, "hottest_shoe_offers"
    )
    added = [f"{prefix}_name", f"{prefix}_variantid", *([] if "top" in prefix else [f"{prefix}_count"])]
    assert [column.name for column in audience.columns] == ["user_id", "username", "firstName", *added]


def test_without_the_table_of_frozen_users_no_user_is_found(tmp_path: Path) -> None:
    write_tables(tmp_path, {"users": [{"id": "u1", "deleted_at": 0}]}, without=["user_admin_informations"])
    with pytest.raises(MissingTable, match="user_admin_informations"):
        csv_of(DuckDBEngine(tmp_path), {"manualUserIds": ["u1"]}, tmp_path / "out.csv")


def test_an_export_that_stopped_makes_no_user_inactive(tmp_path: Path) -> None:
    users = [{"id": "u1", "deleted_at": 0}]
    activities = [{"user_id": "u1", "last_active": NOW - 9 * DAY}]
    write_tables(tmp_path, {"users": users, "user_activities": activities})
    with pytest.raises(StaleData, match=r"newest user_activities\.last_active"):
        csv_of(DuckDBEngine(tmp_path), {"filters": {"daysSinceLastActive_inactive": 7}}, tmp_path / "out.csv")
