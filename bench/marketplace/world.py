"""User data for the audience benchmark: 20 events a user, as Parquet, made in seconds.

This is faster and simpler than the sample world. Hashes draw the events evenly over 60 days; one product in a
hundred has a tenth of all events.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

AT = datetime(2026, 11, 23, 18, tzinfo=UTC)
EVENTS_PER_USER = 20
PRODUCTS, SIZES = 400, 13

_MACROS = f"""
CREATE MACRO chance(label, i) AS (hash(label, i) % 1000003) / 1000003.0;
CREATE MACRO uuid_of(kind, i) AS
    format('{{:08x}}-{{:04x}}-4000-8000-{{:012x}}', (i * 2654435761) % 4294967296, kind, i);
CREATE MACRO ago(days) AS TIMESTAMP '{AT:%Y-%m-%d %H:%M:%S}' - to_microseconds((days * 86400)::BIGINT * 1000000);
CREATE MACRO foot(u) AS (hash('foot', u) % {SIZES})::BIGINT;
CREATE MACRO variant(label, i, u) AS {SIZES} * floor({PRODUCTS} * pow(chance(label, i), 3))::BIGINT + foot(u);
CREATE MACRO deleted(label, i) AS CASE WHEN chance(label, i) < 0.04 THEN 1763900000 ELSE 0 END;
"""
# Kinds of ids: 1 user, 2 product, 3 variant, 4 closet item, 5 wish, 6 offer, 7 offer item, 8 value, 9 preference.
_TABLES = {
    "users": """
SELECT uuid_of(1, i) AS id, 'member' || i AS username, CASE WHEN i % 20 > 0 THEN 'Ann' END AS first_name,
    'a' || i || '@b.example' AS email, CASE WHEN i % 3 > 0 THEN 'hi' END AS bio, NULL::VARCHAR AS avatar_id,
    ago(400 * chance('joined', i)) AS created_at, deleted('user', i) AS deleted_at
FROM range($users) t(i)""",
    "user_activities": """
SELECT uuid_of(1, i) AS user_id, ago(200 * chance('seen', i)) AS last_active FROM range($users) t(i)""",
    "user_preferences": "SELECT uuid_of(9, i) AS id, uuid_of(1, i) AS user_id FROM range($users) t(i)",
    "attribute_preferences": """
SELECT uuid_of(9, i) AS user_preference_id, 'size' AS attribute_id, uuid_of(8, foot(i)) AS attribute_value_id,
    TRUE AS preferred FROM range($users) t(i)""",
    "attributes": "SELECT 'size' AS id, 'mens_size' AS name",
    "attribute_values": f"""
SELECT uuid_of(8, i) AS id, (7 + i / 2)::VARCHAR AS value FROM range({SIZES}) t(i)""",  # noqa: S608 (constants)
    "products": f"SELECT uuid_of(2, i) AS id, 'Shoe ' || i AS name FROM range({PRODUCTS}) t(i)",  # noqa: S608
    "product_variants": f"""
SELECT uuid_of(3, i) AS id, uuid_of(2, i // {SIZES}) AS product_id,
    '{{"mens_size": "' || (7 + i % {SIZES} / 2)::VARCHAR || '"}}' AS index_cache
FROM range({PRODUCTS} * {SIZES}) t(i)""",  # noqa: S608
    "inventory_items": """
SELECT uuid_of(4, i) AS id, uuid_of(1, u) AS user_id, uuid_of(3, variant('closet', i, u)) AS product_variant_id,
    CASE WHEN i % 5 > 0 THEN 'OPEN_FOR_TRADE' ELSE 'IN_TRADE' END AS status,
    ago(60 * chance('closet time', i)) AS created_at, deleted('closet gone', i) AS deleted_at
FROM (SELECT i, (hash('closet owner', i) % $users)::BIGINT AS u FROM range(5 * $users) t(i))""",
    "wishlist_items": """
SELECT uuid_of(5, i) AS id, uuid_of(1, u) AS user_id, uuid_of(3, variant('wish', i, u)) AS product_variant_id,
    ago(60 * chance('wish time', i)) AS created_at, deleted('wish gone', i) AS deleted_at
FROM (SELECT i, (hash('wisher', i) % $users)::BIGINT AS u FROM range(5 * $users) t(i))""",
    "desired_items": """
SELECT uuid_of(1, u) AS user_id, uuid_of(3, variant('desire', i, u)) AS product_variant_id, i % 7 AS offers_count,
    ago(60 * chance('desire time', i)) AS created_at, deleted('desire gone', i) AS deleted_at
FROM (SELECT i, (hash('desirer', i) % $users)::BIGINT AS u FROM range($users) t(i))""",
    "offers": """
SELECT uuid_of(6, i) AS id, uuid_of(1, (hash('offerer', i) % $users)::BIGINT) AS creator_user_id,
    ['OPEN', 'PENDING', 'DECLINED'][1 + i % 3] AS offer_status,
    ago(60 * chance('offer time', i)) AS created_at, deleted('offer gone', i) AS deleted_at
FROM range(4 * $users) t(i)""",
    "offer_items": """
SELECT uuid_of(7, i) AS id, uuid_of(6, o) AS offer_id,
    uuid_of(3, variant('item', i, (hash('offerer', o) % $users)::BIGINT)) AS product_variant_id
FROM (SELECT i, CASE WHEN i < 4 * $users THEN i ELSE (hash('more', i) % (4 * $users))::BIGINT END AS o
      FROM range(5 * $users) t(i))""",
    "trades": """
SELECT i::VARCHAR AS id, uuid_of(6, (hash('trade', i) % (4 * $users))::BIGINT) AS offer_id,
    ago(60 * chance('validated', i)) AS validation_passed_date
FROM range($users // 4) t(i)""",
}


def make(folder: Path, users: int) -> Path:
    """Write the tables of a world of so many users, unless they exist; return the folder."""
    return write_tables(folder, users, _TABLES)


def write_tables(folder: Path, users: int, tables: Mapping[str, str]) -> Path:
    """Write these tables, each made by a query over `$users`, unless they exist; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder), "threads": 2}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(_MACROS)
        for table, query in tables.items():
            path = folder / f"{table}.parquet"
            if not path.exists():
                draft = path.with_suffix(".part")
                rows = query.replace("$users", str(users))
                connection.execute(f"COPY ({rows}) TO '{draft}' (FORMAT parquet)")
                draft.rename(path)
    return folder


def product() -> str:
    """Return the id of the most popular product."""
    row = duckdb.connect().execute(f"{_MACROS}; SELECT uuid_of(2, 0)").fetchone()
    assert row is not None
    return str(row[0])
