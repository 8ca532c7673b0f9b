"""The jobs of layer 2 against a second implementation: sets and loops from the design, without SQL."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_jobs.errors import CheckFailed, StaleData
from audience_jobs.sql import ordinal
from tests.audience_jobs.test_reference import (
    COLUMNS,
    HOUR,
    LAYER_2,
    NOW,
    SHOWCASE,
    Audiences,
    Data,
    Row,
    as_field,
    audiences_of,
    databases,
    is_blank,
    lowest,
    shoes_that_exist,
    size_of,
    tradeable,
    undeleted,
    within,
    write_tables,
)
from tests.examples import examples

DAY = 24 * HOUR


def last_active(data: Data, user_id: str) -> datetime | None:
    seen = [row["last_active"] for row in data["user_activities"] if row["user_id"] == user_id]
    return max((instant for instant in seen if instant), default=None)


def is_active(data: Data, user_id: str, days: int) -> bool:
    seen = last_active(data, user_id)
    return seen is not None and seen >= NOW - days * DAY


def product_of(data: Data) -> dict[str, str]:
    return {row["id"]: row["product_id"] for row in data["product_variants"]}


def offers_since(data: Data, days: int) -> list[Row]:
    return [row for row in undeleted(data["offers"]) if within(row["created_at"], NOW - days * DAY, NOW)]


def offers_for(data: Data, variants: Iterable[str], offers: list[Row]) -> set[str]:
    wanted, ids = set(variants), {row["id"] for row in offers}
    items = [row for row in data["offer_items"] if row["product_variant_id"] in wanted]
    return {row["offer_id"] for row in items} & ids


def open_offers(data: Data, variant: str) -> int:
    standing = [row for row in offers_since(data, 30) if row["offer_status"] in ("OPEN", "PENDING")]
    return len(offers_for(data, [variant], standing))


def count_of(data: Data, rows: list[Row], variant: str) -> int:
    members = {row["id"] for row in undeleted(data["users"])}
    return sum(row["product_variant_id"] == variant and row["user_id"] in members for row in rows)


def in_words(rank: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}th" if rank % 100 in (11, 12, 13) else f"{rank}{ending}"


def ranks(data: Data, lookback_days: int, top: int) -> dict[str, int]:
    """Give the rank of every product that trends."""
    shoes, product, recent = shoes_that_exist(data), product_of(data), offers_since(data, lookback_days)
    products = {product[variant] for variant in shoes}
    targeted = {p: len(offers_for(data, [v for v in shoes if product[v] == p], recent)) for p in products}
    best = sorted((p for p in targeted if targeted[p]), key=lambda p: (-targeted[p], lowest(p)))
    return {p: rank for rank, p in enumerate(best[:top], 1)}


def layer_2(data: Data, *, lookback_days: int = 7, activity_days: int = 90, top: int = 10) -> Audiences:
    shoes, product = shoes_that_exist(data), product_of(data)
    trending = ranks(data, lookback_days, top)
    result: Audiences = {name: [] for name in COLUMNS[LAYER_2]}
    for user in undeleted(data["users"]):
        mine = [row["product_variant_id"] for row in tradeable(data) if row["user_id"] == user["id"]]
        held = [variant for variant in mine if variant in shoes and product[variant] in trending]
        usersize = size_of(data, user["id"])
        lacks = any(is_blank(user.get(field)) for field in ("email", "first_name", "username")) or usersize is None
        if lacks or not held or not is_active(data, user["id"], activity_days):
            continue
        variant = min(held, key=lambda v: (trending[product[v]], lowest(v)))
        rank, offers = trending[product[variant]], open_offers(data, variant)
        if offers < 2:
            continue
        name, size = shoes[variant]
        wishes = count_of(data, undeleted(data["wishlist_items"]), variant)
        about = (user["id"], user["username"], user["first_name"], usersize, name, in_words(rank), variant, size)
        row = (*about, wishes, offers, last_active(data, user["id"]))
        result[list(result)[rank > 1]].append(tuple(map(as_field, row)))
    return {name: sorted(rows) for name, rows in result.items()}


def showcase(data: Data, *, product_id: str, activity_days: int = 90) -> Audiences:
    shoes, product = shoes_that_exist(data), product_of(data)
    variants = [variant for variant in shoes if product[variant] == product_id]
    wished = undeleted(data["wishlist_items"])
    week = offers_since(data, 7)
    offered = {row["offer_id"] for row in data["offer_items"] if row["product_variant_id"] in variants}
    validated = [row for row in data["trades"] if within(row["validation_passed_date"], NOW - 30 * DAY, NOW)]
    traded = [row for row in validated if row["offer_id"] in offered]
    result: Audiences = {name: [] for name in COLUMNS[SHOWCASE]}
    for user in undeleted(data["users"]):
        key, usersize = user["id"], size_of(data, user["id"])
        if is_blank(user["first_name"]) or usersize is None or not is_active(data, key, activity_days):
            continue
        choices = [
            [row["product_variant_id"] for row in tradeable(data) if row["user_id"] == key],
            [row["product_variant_id"] for row in wished if row["user_id"] == key],
            [variant for variant in variants if shoes[variant][1] == usersize],
        ]
        for kind, found in enumerate(choices):
            mine = [variant for variant in found if variant in variants]
            if not mine:
                continue
            variant = min(mine, key=lambda v: (shoes[v][1] != usersize, lowest(v)))
            at_hand = open_offers(data, variant) if kind == 0 else count_of(data, tradeable(data), variant)
            lately = len(offers_for(data, [variant], week)), len(offers_for(data, variants, week)), len(traded)
            about = (key, user["first_name"], usersize, variant, shoes[variant][1], count_of(data, wished, variant))
            if kind > 0 or at_hand >= 2:
                row = (*about, at_hand, *lately, last_active(data, key))
                result[list(result)[kind]].append(tuple(map(as_field, row)))
            break
    return {name: sorted(rows) for name, rows in result.items()}


arguments_of_layer_2 = st.fixed_dictionaries(
    {},
    optional={
        "lookback_days": st.sampled_from([1, 2]),
        "activity_days": st.sampled_from([1, 2]),
        "top": st.sampled_from([1, 2]),
    },
)
arguments_of_showcase = st.fixed_dictionaries(
    {"product_id": st.sampled_from(["p1", "p1", "p1", "p2"])}, optional={"activity_days": st.sampled_from([1, 2])}
)


@pytest.mark.long
@examples(30, few=6)
@given(data=databases, arguments=arguments_of_layer_2)
def test_layer_2_writes_what_the_reference_works_out(data: Data, arguments: dict[str, int]) -> None:
    with TemporaryDirectory() as folder:
        write_tables(Path(folder), data)
        assert audiences_of(LAYER_2, Path(folder), **arguments) == layer_2(data, **arguments)


@pytest.mark.long
@examples(30, few=6)
@given(data=databases, arguments=arguments_of_showcase)
def test_the_showcase_writes_what_the_reference_works_out(data: Data, arguments: dict[str, object]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_tables(folder, data)
        if not any(row["id"] == arguments["product_id"] for row in data["products"]):
            with pytest.raises(CheckFailed, match="no product has the id that product_id gives"):
                audiences_of(SHOWCASE, folder, **arguments)
            return
        assert audiences_of(SHOWCASE, folder, **arguments) == showcase(data, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 23, 101, 111, 112, 121])
def test_ranks_are_written_in_words(number: int) -> None:
    assert duckdb.sql(f"SELECT {ordinal(str(number))}").fetchone() == (in_words(number),)


def test_data_of_last_month_build_no_audience(tmp_path: Path) -> None:
    write_tables(tmp_path, {"user_activities": [{"user_id": "u", "last_active": NOW - timedelta(days=30)}]})
    with pytest.raises(StaleData, match="is the export of user data still running"):
        audiences_of(LAYER_2, tmp_path)
