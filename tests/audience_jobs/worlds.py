"""Small folders of user data for tests, and what jobs make of them."""

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.audience_jobs.marketplace import SOURCE_TABLES, DuckDBEngine, find

Row = dict[str, Any]
World = dict[str, list[Row]]

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=900)


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def seconds(hours: float) -> int:
    """Return the instant so many hours ago in seconds since 1970, as files of devices have it."""
    return int(hours_ago(hours).timestamp())


def put(folder: Path, world: Mapping[str, Iterable[Row]]) -> Path:
    """Write every source table as CSV; what a row leaves out is NULL, and a table left out has no rows."""
    for table, columns in SOURCE_TABLES.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            lines = csv.DictWriter(file, columns)
            lines.writeheader()
            lines.writerows(world.get(table, []))
    return folder


def with_more(world: World, **more: list[Row]) -> World:
    return {**world, **{table: [*world.get(table, []), *rows] for table, rows in more.items()}}


def audiences(folder: Path, job_id: str, **arguments: object) -> dict[str, list[dict[str, str]]]:
    """Give the rows of every audience of the job that is not empty."""
    job = find(job_id)
    written = {}
    with DuckDBEngine(folder).run(job, arguments, now=NOW) as run:
        for audience in job.audiences:
            run.write_audience(audience.name, folder / "audience.out")
            written[audience.name] = rows_of(folder / "audience.out")
    return {name: rows for name, rows in written.items() if rows}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def user(user_id: str, **fields: object) -> Row:
    joined = {"created_at": LONG_AGO, "deleted_at": 0}
    return {"id": user_id, "username": f"@{user_id}", "first_name": user_id.title(), **joined, **fields}


def shoe(variant_id: str, name: str, size: str = "10") -> World:
    """A product that has one variant."""
    variant = {"id": variant_id, "product_id": f"product-{name}", "index_cache": f'{{"mens_size": "{size}"}}'}
    return {"products": [{"id": f"product-{name}", "name": name}], "product_variants": [variant]}


def wears(user_id: str, size: str) -> World:
    """A user's preferred size; its value's id is the size itself."""
    preference = {"user_preference_id": f"of-{user_id}", "attribute_id": "size", "attribute_value_id": size}
    return {
        "user_preferences": [{"id": f"of-{user_id}", "user_id": user_id}],
        "attribute_preferences": [{**preference, "preferred": True}],
        "attributes": [{"id": "size", "name": "mens_size"}],
        "attribute_values": [{"id": size, "value": size}],
    }


def item(item_id: str, user_id: str, variant_id: str, created_at: datetime, **fields: object) -> Row:
    """A row of inventory_items (tradeable), wishlist_items or desired_items."""
    row = {"id": item_id, "user_id": user_id, "product_variant_id": variant_id, "created_at": created_at}
    return {**row, "status": "OPEN_FOR_TRADE", "deleted_at": 0, **fields}


def owns(*items: Row) -> World:
    return {"inventory_items": list(items)}


def wants(*items: Row) -> World:
    return {"wishlist_items": [without(row, "status") for row in items]}


def desires(*items: Row) -> World:
    return {"desired_items": [without(row, "id", "status") for row in items]}


def without(row: Row, *columns: str) -> Row:
    return {name: value for name, value in row.items() if name not in columns}


def offered(offer_id: str, user_id: str, created_at: datetime, *variants: str, deleted_at: int = 0) -> World:
    """An offer by the user of these variants, its items in this order."""
    offer = {"id": offer_id, "creator_user_id": user_id, "created_at": created_at, "deleted_at": deleted_at}
    items = [
        {"id": f"{offer_id}-{place}", "offer_id": offer_id, "product_variant_id": variant}
        for place, variant in enumerate(variants)
    ]
    return {"offers": [offer], "offer_items": items}


def together(*worlds: World) -> World:
    whole: World = {}
    for world in worlds:
        whole = with_more(whole, **world)
    return whole
