"""The jobs of layers 3 and 5 against a second implementation: sets and loops from the design, without SQL."""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_jobs.errors import BadData, MissingColumn, MissingTable, NoUserData
from tests.audience_jobs.marketplace import SOURCE_TABLES, DuckDBEngine, find
from tests.examples import examples

Row = dict[str, Any]
Data = Mapping[str, list[Row]]
Audiences = dict[str, list[tuple[str, ...]]]

LAYER_3, WATERFALL = "generate_layer_3_push_csvs", "generate_new_user_waterfall"
LAYER_2, SHOWCASE = "generate_layer_2_push_csv", "generate_showcase_push_csvs"
OPEN = "OPEN_FOR_TRADE"
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
ABOUT_ACTION = "user_id username firstName usersize relevant_variant_size product_name variantID lastActive".split()
ABOUT_USER = "user_id username firstName new_user_level".split()
WITH_SHOE = [*ABOUT_USER, "top_target_shoe", "top_target_shoe_variantid"]
ITEMS, WISHES = [*ABOUT_ACTION, "inventory_count"], [*ABOUT_ACTION, "wishlist_count"]
STEPS = "no-shoes no-bio no-offers no-wishlist new-stars".split()
TRENDING = """user_id username firstName usersize product_name trending_rank variantID relevant_variant_size
    wishlist_count variant_open_offers lastActive""".split()
SHOWN = "user_id firstName usersize variantID relevant_variant_size wishlist_count".split()
LATELY = "variant_offers_7d product_offers_7d product_trades_30d lastActive".split()
HAVES, OTHERS = [*SHOWN, "variant_open_offers", *LATELY], [*SHOWN, "inventory_count", *LATELY]
COLUMNS = {
    LAYER_2: {"trending-closet-items-top1": TRENDING, "trending-closet-items": TRENDING},
    SHOWCASE: {"haves": HAVES, "wants": OTHERS, "everybody-else": OTHERS},
    LAYER_3: {"recent-offer-creators": ITEMS, "recent-closet-adders": WISHES, "recent-wishlist-adders": ITEMS},
    WATERFALL: dict(zip(STEPS, [ABOUT_USER] * 2 + [WITH_SHOE] * 3, strict=True)),
}


# Folders of user data, and what a job makes of them


def as_field(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def write_tables(folder: Path, data: Data, *, without: Iterable[str] = (), encoding: str = "utf-8") -> None:
    """Write every table as CSV; `without` names tables (`offers`) and columns (`users.bio`) to leave out."""
    for table in set(SOURCE_TABLES) - set(without):
        columns = [column for column in SOURCE_TABLES[table] if f"{table}.{column}" not in without]
        with (folder / f"{table}.csv").open("w", encoding=encoding, newline="") as file:
            lines = csv.writer(file)
            lines.writerow(columns)
            lines.writerows([[as_field(row.get(column)) for column in columns] for row in data.get(table, [])])


def read_csv(path: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, [tuple(row) for row in rows]


def md5_of(user_id: str) -> str:
    return md5(user_id.encode()).hexdigest()


def audiences_of(job_id: str, folder: Path, **arguments: object) -> Audiences:
    """Run the job, check the form of what it writes, and give the rows."""
    written: Audiences = {}
    with TemporaryDirectory() as out, DuckDBEngine(folder).run(find(job_id), arguments, now=NOW) as run:
        for audience, columns in COLUMNS[job_id].items():
            path = Path(out) / f"{audience}.csv"
            count = run.write_audience(audience, path)
            header, rows = read_csv(path)
            assert header == columns
            assert count == len(rows)
            assert [row[0] for row in rows] == sorted((row[0] for row in rows), key=md5_of)
            written[audience] = sorted(rows)
    return written


# The reference


def is_blank(text: str | None) -> bool:
    return text is None or not text.strip()


def lowest(key: str) -> tuple[int, str]:
    return len(key), key


def newest(instant: datetime | None) -> float:
    """Sort the newest first, and what has no time last."""
    return float("inf") if instant is None else -instant.timestamp()


def within(instant: datetime | None, start: datetime, end: datetime) -> bool:
    return instant is not None and start <= instant <= end


def undeleted(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["deleted_at"] == 0]


def tradeable(data: Data) -> list[Row]:
    return [row for row in undeleted(data["inventory_items"]) if row["status"] == OPEN]


def shoes_that_exist(data: Data) -> dict[str, tuple[str, str]]:
    """Give name and size of every variant that has a product."""
    names = {row["id"]: as_field(row["name"]) for row in data["products"]}
    return {
        row["id"]: (names[row["product_id"]], as_field(json.loads(row["index_cache"] or "{}").get("mens_size")))
        for row in data["product_variants"]
        if row["product_id"] in names
    }


def size_of(data: Data, user_id: str) -> str | None:
    sizes = {row["id"] for row in data["attributes"] if row["name"] == "mens_size"}
    values = {row["id"]: row["value"] for row in data["attribute_values"] if not is_blank(row["value"])}
    own = {row["id"] for row in data["user_preferences"] if row["user_id"] == user_id}
    mine = [row for row in data["attribute_preferences"] if row["preferred"] and row["user_preference_id"] in own]
    ids = {row["attribute_value_id"] for row in mine if row["attribute_id"] in sizes} & set(values)
    return values[min(ids, key=lowest)] if ids else None


def actions_of(data: Data, user_id: str) -> list[tuple[int, Row, str | None]]:
    """Give kind (offer, closet, wishlist), row and variant of all that the user ever did."""
    offers = []
    for offer in undeleted(data["offers"]):
        items = [row for row in data["offer_items"] if row["offer_id"] == offer["id"]]
        if offer["creator_user_id"] == user_id and items:
            first = min(items, key=lambda row: lowest(row["id"]))
            offers.append((0, offer, first["product_variant_id"]))
    owned = [(1, row) for row in tradeable(data)] + [(2, row) for row in undeleted(data["wishlist_items"])]
    return offers + [(kind, row, row["product_variant_id"]) for kind, row in owned if row["user_id"] == user_id]


def layer_3(data: Data, *, lookback_hours: int = 48, cooling_hours: int = 12) -> Audiences:
    start, end = NOW - timedelta(hours=lookback_hours), NOW - timedelta(hours=cooling_hours)
    shoes = shoes_that_exist(data)
    members = {row["id"] for row in undeleted(data["users"])}
    result: Audiences = {name: [] for name in COLUMNS[LAYER_3]}
    for user in undeleted(data["users"]):
        usersize = size_of(data, user["id"])
        recent = [a for a in actions_of(data, user["id"]) if within(a[1]["created_at"], start, end) and a[2] in shoes]
        if is_blank(user["first_name"]) or usersize is None or not recent:
            continue
        kind, _, variant = min(recent, key=lambda a: (a[0], newest(a[1]["created_at"]), lowest(a[1]["id"])))
        assert variant is not None
        counted = undeleted(data["wishlist_items"]) if kind == 1 else tradeable(data)
        count = sum(row["product_variant_id"] == variant and row["user_id"] in members for row in counted)
        if count < (2 if kind == 1 else 3):
            continue
        seen = [row["last_active"] for row in data["user_activities"] if row["user_id"] == user["id"]]
        last_active = max((instant for instant in seen if instant), default=None)
        name, size = shoes[variant]
        about = (user["id"], user["username"], user["first_name"], usersize, size, name, variant, last_active, count)
        result[list(result)[kind]].append(tuple(map(as_field, about)))
    return {name: sorted(rows) for name, rows in result.items()}


def target_shoe(data: Data, user_id: str) -> tuple[str, str]:
    shoes = shoes_that_exist(data)
    offers = [row for row in undeleted(data["offers"]) if row["creator_user_id"] == user_id]
    offers.sort(key=lambda row: (newest(row["created_at"]), lowest(row["id"])))
    items = sorted(data["offer_items"], key=lambda row: lowest(row["id"]))
    desired = [row for row in undeleted(data["desired_items"]) if row["user_id"] == user_id]
    wishes = [row for row in undeleted(data["wishlist_items"]) if row["user_id"] == user_id]

    def most_wanted(row: Row) -> tuple[object, ...]:
        offers_count = -1 if row["offers_count"] is None else row["offers_count"]
        return -offers_count, newest(row["created_at"]), lowest(as_field(row["product_variant_id"]))

    candidates = [
        *sorted(desired, key=most_wanted),
        *(item for item in items if item["offer_id"] in {row["id"] for row in offers[:1]}),
        *sorted(wishes, key=lambda row: (newest(row["created_at"]), lowest(row["id"]))),
    ]
    for row in candidates:
        if row["product_variant_id"] in shoes:
            return shoes[row["product_variant_id"]][0], row["product_variant_id"]
    for item in items:
        variant = item["product_variant_id"]
        if item["offer_id"] in {row["id"] for row in offers} and variant is not None and variant not in shoes:
            return "Unknown Product", variant
    return "", ""


def waterfall(data: Data, *, min_hours: int = 12, max_days: int = 14, require_avatar: bool = False) -> Audiences:
    start, end = NOW - timedelta(days=max_days), NOW - timedelta(hours=min_hours)
    owners = {row["user_id"] for row in data["inventory_items"]}
    creators = {row["creator_user_id"] for row in data["offers"]}
    wishers = {row["user_id"] for row in undeleted(data["wishlist_items"])}
    new = [row for row in undeleted(data["users"]) if within(row["created_at"], start, end)]
    new = [row for row in new if not is_blank(row["first_name"])]
    # A user who is there twice with two bios is where the worse one puts them.
    no_bio = {row["id"] for row in new if is_blank(row["bio"]) or (require_avatar and row["avatar_id"] is None)}
    result: Audiences = {name: [] for name in COLUMNS[WATERFALL]}
    for user in new:
        key = user["id"]
        lacks = [key not in owners, key in no_bio, key not in creators, key not in wishers, True]
        level = lacks.index(True) + 1
        shoe = target_shoe(data, key) if level >= 3 else ()
        row = (key, user["username"], user["first_name"], level, *shoe)
        result[list(result)[level - 1]].append(tuple(map(as_field, row)))
    return {name: sorted(rows) for name, rows in result.items()}


# Small databases: few ids, so that rows meet, and instants on and beside the bounds of the windows

some, HOUR = st.sampled_from, timedelta(hours=1)
AGES = [timedelta(hours=hours) for hours in (0, 12, 24, 24, 24, 30, 30, 48, 336)]
BESIDE = [timedelta(hours=12, seconds=-1), timedelta(hours=48, seconds=1), timedelta(hours=336, seconds=1)]
USERS, VARIANTS, KEYS = ["u1", "u2", "u10"], ["8", "9", "10", "11"], [str(number) for number in range(5, 17)]

instants = some([NOW - age for age in AGES + BESIDE])
instants_or_none = some([*(NOW - age for age in AGES + BESIDE), None])
deletions = some([0, 0, 0, 0, 0, 0, 0, 1763900000, None])
owners_of_rows = some([*USERS, *USERS, *USERS, "stranger", None])
variants = some([*VARIANTS, "8", "9", "8", "9", "404", None])


def rows_of(size: int, /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.fixed_dictionaries(fields), min_size=size // 2, max_size=size)


def distinct(size: int, ids: list[str], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Row]]:
    row = st.fixed_dictionaries({"id": st.sampled_from(ids), **fields})
    return st.lists(row, min_size=size // 2, max_size=size, unique_by=lambda row: row["id"])


own: dict[str, st.SearchStrategy[Any]] = {
    "user_id": owners_of_rows,
    "product_variant_id": variants,
    "created_at": instants_or_none,
    "deleted_at": deletions,
}
tables: dict[str, st.SearchStrategy[list[Row]]] = {
    "users": rows_of(
        7,
        id=some(USERS),
        username=some(["ann", "ann", 'b,"b', None]),
        email=some(["a@b.example", "a@b.example", "a@b.example", " ", None]),
        first_name=some(["Ann", "Ann", "Zoë", "Bo", "Bo", "Bo", "  ", None]),
        bio=some(["hi", "two\nlines", "hi", "hi", "hi", "\t ", None]),
        avatar_id=some(["a1", None]),
        created_at=instants,
        deleted_at=deletions,
    ),
    "user_activities": rows_of(6, user_id=owners_of_rows, last_active=instants_or_none),
    "user_preferences": distinct(4, ["4", "5", "6", "7"], user_id=some(USERS)),
    "attribute_preferences": rows_of(
        10,
        user_preference_id=some(["1", "2", "3", "4", "5"]),
        attribute_id=some(["size", "size", "size", "colour"]),
        attribute_value_id=some(["9", "10", "10", "11", "404"]),
        preferred=some([True, True, True, False, None]),
    ),
    "attributes": st.just([{"id": "size", "name": "mens_size"}, {"id": "colour", "name": "colour"}]),
    "attribute_values": distinct(2, ["9", "11"], value=some(["9.5", "9.5", "12", " "])),
    "products": distinct(2, ["p2", "p3"], name=some(["Air, One", "Dunk", None])),
    "product_variants": distinct(
        2,
        ["10", "11"],
        product_id=some(["p1", "p1", "p2", "p404"]),
        index_cache=some(['{"mens_size": "9"}', '{"mens_size": 9.5}', '{"mens_size": null}', "{}", None]),
    ),
    "inventory_items": distinct(12, KEYS, status=some([OPEN] * 5 + ["SOLD", None]), **own),
    "wishlist_items": distinct(8, KEYS, **own),
    "desired_items": rows_of(4, offers_count=some([0, 2, None]), **own),
    "offers": distinct(
        4,
        KEYS[4:8],
        creator_user_id=some(USERS),
        offer_status=some(["OPEN", "OPEN", "PENDING", "DECLINED", None]),
        created_at=instants_or_none,
        deleted_at=deletions,
    ),
    "offer_items": distinct(
        8, KEYS, offer_id=some(KEYS[4:8]), product_variant_id=some(["8", "9", "9", "10", "404", "405", None])
    ),
    "trades": distinct(4, KEYS, offer_id=some([*KEYS[4:8], "71"]), validation_passed_date=instants_or_none),
}
# What is always there, so that most users have a size, variant 8 is one item, one wish and one offer short of the
# limits and variant 9 has just enough.
old: Row = {"user_id": "u0", "created_at": NOW - 900 * HOUR, "deleted_at": 0}
ALWAYS: Data = {
    "users": [{"id": "u0", "first_name": "Ann", "created_at": NOW - 900 * HOUR, "deleted_at": 0, "bio": None}],
    "user_activities": [{"user_id": "u0", "last_active": NOW}],
    "user_preferences": [{"id": str(place), "user_id": key} for place, key in enumerate(USERS, 1)],
    "attribute_values": [{"id": "10", "value": "9.5"}],
    "products": [{"id": "p1", "name": "Air, One"}],
    "product_variants": [{"id": key, "product_id": "p1", "index_cache": '{"mens_size": "9"}'} for key in "89"],
    "inventory_items": [
        {"id": f"7{i}", "status": OPEN, "product_variant_id": k, **old} for i, k in enumerate("88999")
    ],
    "wishlist_items": [{"id": f"7{i}", "product_variant_id": k, **old} for i, k in enumerate("899")],
    "offers": [
        {
            "id": f"7{i}",
            "creator_user_id": "u0",
            "offer_status": "OPEN",
            "created_at": NOW - 24 * HOUR,
            "deleted_at": 0,
        }
        for i in range(2)
    ],
    "offer_items": [{"id": f"7{i}", "offer_id": f"7{i % 2}", "product_variant_id": k} for i, k in enumerate("998")],
}


def says_what_is_deleted(data: Data) -> bool:
    """Say whether no table leaves `deleted_at` empty in every row, which user data may not."""
    return not any(rows and all(row.get("deleted_at", 0) is None for row in rows) for rows in data.values())


databases = (
    st.fixed_dictionaries(tables)
    .map(lambda data: {key: ALWAYS.get(key, []) + data[key] for key in data})
    .filter(says_what_is_deleted)
)
windows = some([{}, {"cooling_hours": 0}, {"lookback_hours": 24}, {"lookback_hours": 12, "cooling_hours": 12}])
choices = {"min_hours": some([0, 24]), "max_days": some([1, 2]), "require_avatar": st.booleans()}
newness = st.fixed_dictionaries({}, optional=choices)


@pytest.mark.long
@examples(40, few=8)
@given(data=databases, arguments=windows)
def test_layer_3_writes_what_the_reference_works_out(data: Data, arguments: dict[str, int]) -> None:
    with TemporaryDirectory() as folder:
        write_tables(Path(folder), data)
        assert audiences_of(LAYER_3, Path(folder), **arguments) == layer_3(data, **arguments)


@examples(40, few=8)
@given(data=databases, arguments=newness)
def test_the_waterfall_writes_what_the_reference_works_out(data: Data, arguments: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        write_tables(Path(folder), data)
        assert audiences_of(WATERFALL, Path(folder), **arguments) == waterfall(data, **arguments)


# What one example says better


def new_user(user_id: str, **fields: object) -> Row:
    return {"id": user_id, "first_name": "Ann", "created_at": NOW - 24 * HOUR, "deleted_at": 0, **fields}


def ids_in(audiences: Audiences) -> dict[str, list[str]]:
    return {name: sorted({row[0] for row in rows}) for name, rows in audiences.items() if rows}


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    write_tables(tmp_path, {}, without=["wishlist_items"])
    with pytest.raises(MissingTable, match=r"'wishlist_items' is missing: add wishlist_items\.csv"):
        audiences_of(LAYER_3, tmp_path)


def test_a_missing_column_is_named_with_its_file(tmp_path: Path) -> None:
    write_tables(tmp_path, {}, without=["users.first_name"])
    with pytest.raises(MissingColumn, match=r"users\.csv lacks the column 'first_name'"):
        audiences_of(WATERFALL, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("job_id", [LAYER_2, LAYER_3, WATERFALL])
def test_an_empty_folder_is_an_error_and_empty_tables_are_none(job_id: str, tmp_path: Path) -> None:
    with pytest.raises(NoUserData, match=re.escape(str(tmp_path))):
        audiences_of(job_id, tmp_path)
    write_tables(tmp_path, {})
    assert ids_in(audiences_of(job_id, tmp_path)) == {}


@pytest.mark.long
def test_a_byte_order_mark_and_line_breaks_in_a_bio_are_read(tmp_path: Path) -> None:
    users = [new_user("u1", bio='one\ntwo, "three"'), new_user("u2", bio="\n \r\n")]
    owners = [{"user_id": "u1"}, {"user_id": "u2"}]
    write_tables(tmp_path, {"users": users, "inventory_items": owners}, encoding="utf-8-sig")
    assert ids_in(audiences_of(WATERFALL, tmp_path)) == {"no-bio": ["u2"], "no-offers": ["u1"]}


@pytest.mark.long
def test_a_bad_timestamp_is_named_with_file_and_column(tmp_path: Path) -> None:
    write_tables(tmp_path, {"users": [new_user("u1"), new_user("u2", created_at="last tuesday")]})
    with pytest.raises(BadData, match=r"users\.csv: column 'created_at' holds 'last tuesday'"):
        audiences_of(WATERFALL, tmp_path)


def test_malformed_user_ids_come_out_as_they_went_in(tmp_path: Path) -> None:
    ids = 'not-a-uuid|007|x\'; DROP TABLE users; --|a,"b"|=1+1|é\u200b😀| padded |NULL|two\nlines'.split("|")
    write_tables(tmp_path, {"users": [new_user(user_id) for user_id in ids]})
    assert ids_in(audiences_of(WATERFALL, tmp_path)) == {"no-shoes": sorted(ids)}
