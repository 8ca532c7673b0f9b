"""The sample marketplace: the same everywhere, shaped like the real tables, alive on both sides of its anchor."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from local.sample import generate
from tests.examples import examples

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SMALLEST_POPULATED_WORLD = 2_000

COLUMNS = {
    "users": "id username first_name email bio avatar_id created_at deleted_at "
    "is_trusted_trader completed_trades_count",
    "user_activities": "user_id last_active",
    "user_preferences": "id user_id",
    "attribute_preferences": "user_preference_id attribute_id attribute_value_id preferred",
    "attributes": "id name",
    "attribute_values": "id value",
    "products": "id name",
    "product_variants": "id product_id index_cache",
    "inventory_items": "id user_id product_variant_id status created_at deleted_at",
    "wishlist_items": "id user_id product_variant_id created_at deleted_at",
    "desired_items": "user_id product_variant_id offers_count created_at deleted_at",
    "offers": "id creator_user_id receiver_user_id offer_status created_at deleted_at",
    "offer_items": "id offer_id product_variant_id",
    "trades": "id offer_id validation_passed_date",
    "user_admin_informations": "user_id is_trusted_trader_candidate freeze_reason",
    "devices": "user_id token platform updated_at",
}

REFERENCES = [
    ("user_activities.user_id", "users.id"),
    ("user_preferences.user_id", "users.id"),
    ("attribute_preferences.user_preference_id", "user_preferences.id"),
    ("attribute_preferences.attribute_id", "attributes.id"),
    ("attribute_preferences.attribute_value_id", "attribute_values.id"),
    ("inventory_items.user_id", "users.id"),
    ("inventory_items.product_variant_id", "product_variants.id"),
    ("wishlist_items.user_id", "users.id"),
    ("wishlist_items.product_variant_id", "product_variants.id"),
    ("desired_items.user_id", "users.id"),
    ("desired_items.product_variant_id", "product_variants.id"),
    ("offers.creator_user_id", "users.id"),
    ("offers.receiver_user_id", "users.id"),
    ("offer_items.offer_id", "offers.id"),
    ("offer_items.product_variant_id", "product_variants.id"),
    ("trades.offer_id", "offers.id"),
    ("user_admin_informations.user_id", "users.id"),
    ("devices.user_id", "users.id"),
]

# The two windowed jobs in short: enough of their rules to know that no audience is empty.
LAYER_3 = """
WITH eligible AS (
    SELECT DISTINCT u.id AS user_id
    FROM users u JOIN user_preferences p ON p.user_id = u.id
    JOIN attribute_preferences ap ON ap.user_preference_id = p.id AND ap.preferred
    JOIN attributes a ON a.id = ap.attribute_id AND a.name = 'mens_size'
    WHERE u.deleted_at = 0 AND trim(coalesce(u.first_name, '')) <> ''
), actions AS (
    SELECT creator_user_id AS user_id, 'offer' AS kind, 1 AS priority, o.created_at,
        (SELECT arg_min(i.product_variant_id, i.id) FROM offer_items i WHERE i.offer_id = o.id) AS variant
    FROM offers o WHERE o.deleted_at = 0
    UNION ALL SELECT user_id, 'closet', 2, created_at, product_variant_id FROM inventory_items
    WHERE status = 'OPEN_FOR_TRADE' AND deleted_at = 0
    UNION ALL SELECT user_id, 'wishlist', 3, created_at, product_variant_id FROM wishlist_items WHERE deleted_at = 0
), newest AS (
    SELECT user_id, kind, variant FROM actions JOIN eligible USING (user_id)
    WHERE created_at >= $now - INTERVAL 48 HOURS AND created_at < $now - INTERVAL 12 HOURS
    QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY priority, created_at DESC) = 1
), supply AS (
    SELECT product_variant_id AS variant, count(*) AS n FROM inventory_items i JOIN users u ON u.id = i.user_id
    WHERE u.deleted_at = 0 AND i.deleted_at = 0 AND status = 'OPEN_FOR_TRADE' GROUP BY 1
), demand AS (
    SELECT product_variant_id AS variant, count(*) AS n FROM wishlist_items w JOIN users u ON u.id = w.user_id
    WHERE u.deleted_at = 0 AND w.deleted_at = 0 GROUP BY 1
)
SELECT kind, count(*) FROM newest LEFT JOIN supply s USING (variant) LEFT JOIN demand d USING (variant)
WHERE CASE kind WHEN 'closet' THEN d.n >= 2 ELSE s.n >= 3 END GROUP BY kind
"""

WATERFALL = """
SELECT CASE WHEN NOT EXISTS (FROM inventory_items i WHERE i.user_id = u.id) THEN 1
    WHEN coalesce(bio, '') NOT SIMILAR TO '.*\\S(.|\\n)*' THEN 2
    WHEN NOT EXISTS (FROM offers o WHERE o.creator_user_id = u.id) THEN 3
    WHEN NOT EXISTS (FROM wishlist_items w WHERE w.user_id = u.id AND w.deleted_at = 0) THEN 4
    ELSE 5 END AS level, count(*)
FROM users u WHERE u.deleted_at = 0 AND trim(coalesce(first_name, '')) <> ''
    AND created_at >= $now - INTERVAL 14 DAYS AND created_at < $now - INTERVAL 12 HOURS GROUP BY level
"""

Query = Callable[..., list[tuple[Any, ...]]]


def opened(directory: Path) -> Query:
    connection = duckdb.connect()
    for path in directory.glob("*.parquet"):
        connection.execute(f"CREATE VIEW {path.stem} AS FROM read_parquet('{path}')")
    return lambda sql, **parameters: connection.execute(sql, parameters or None).fetchall()


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def written(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines, strict=True))


def dangling(query: Query, reference: str, target: str) -> int:
    (table, column), (home, key) = reference.split("."), target.split(".")
    sql = f"SELECT count(*) FROM {table} t ANTI JOIN {home} h ON h.{key} = t.{column}"
    return int(query(sql)[0][0])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Query:
    directory = tmp_path_factory.mktemp("world")
    generate(directory, users=10_000, seed=7, at=AT, file_format="parquet")
    return opened(directory)


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Query:
    directory = tmp_path_factory.mktemp("small-world")
    generate(directory, users=SMALLEST_POPULATED_WORLD, seed=11, at=AT, file_format="parquet")
    return opened(directory)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("export")
    generate(directory, users=1_000, seed=7, at=AT)
    return directory


class TestDeterminism:
    def test_the_same_request_writes_the_same_bytes(self, export: Path, tmp_path: Path) -> None:
        generate(tmp_path, users=1_000, seed=7, at=AT)
        assert contents(tmp_path) == contents(export)

    def test_the_same_instant_in_another_zone_writes_the_same_bytes(self, export: Path, tmp_path: Path) -> None:
        generate(tmp_path, users=1_000, seed=7, at=AT.astimezone(timezone(timedelta(hours=5, minutes=30))))
        assert contents(tmp_path) == contents(export)

    @pytest.mark.parametrize(
        "other", [{"seed": 8}, {"at": AT + timedelta(seconds=1)}, {"users": 1_001}], ids=["seed", "at", "users"]
    )
    def test_another_seed_instant_or_size_writes_other_users(
        self, export: Path, tmp_path: Path, other: dict[str, Any]
    ) -> None:
        generate(tmp_path, **{"users": 1_000, "seed": 7, "at": AT, **other})
        assert contents(tmp_path)["users.csv"] != contents(export)["users.csv"]

    @pytest.mark.long
    def test_the_number_of_threads_does_not_show_even_where_tables_span_row_groups(self, tmp_path: Path) -> None:
        """DuckDB hands threads 122,880 rows at a time: 90,000 members make larger inventories than that."""
        for threads in (1, 3):
            generate(tmp_path / str(threads), users=90_000, seed=7, at=AT, file_format="parquet", threads=threads)
        assert contents(tmp_path / "1") == contents(tmp_path / "3")


class TestShapeOfTheExport:
    def test_csv_files_are_exactly_the_tables_with_exactly_their_columns(self, export: Path) -> None:
        headers = {path.stem: " ".join(written(path)[0]) for path in export.iterdir()}
        assert headers == COLUMNS

    @pytest.mark.long
    def test_parquet_columns_have_the_database_s_types(self, world: Query) -> None:
        assert world("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'users'") == [
            *[(name, "VARCHAR") for name in ("id", "username", "first_name", "email", "bio", "avatar_id")],
            ("created_at", "TIMESTAMP"),
            ("deleted_at", "BIGINT"),
            ("is_trusted_trader", "BOOLEAN"),
            ("completed_trades_count", "INTEGER"),
        ]

    def test_csv_instants_are_utc_booleans_are_words_and_json_survives(self, export: Path) -> None:
        user = dict(zip(*written(export / "users.csv")[:2], strict=True))
        assert datetime.fromisoformat(user["created_at"]).utcoffset() == timedelta(0)
        assert user["created_at"].endswith("+00")
        assert user["is_trusted_trader"] in {"true", "false"}
        assert written(export / "product_variants.csv")[1][2] == '{"mens_size": "7"}'

    def test_the_answer_and_the_progress_count_the_rows_of_every_table(self, tmp_path: Path) -> None:
        heard: list[tuple[str, int]] = []
        rows = generate(
            tmp_path, users=300, seed=7, at=AT, progress=lambda table, count: heard.append((table, count))
        )
        assert dict(heard) == rows == {table: len(written(tmp_path / f"{table}.csv")) - 1 for table in COLUMNS}

    def test_a_world_without_users_is_headers_only(self, tmp_path: Path) -> None:
        rows = generate(tmp_path, users=0, seed=7, at=AT)
        assert rows == dict.fromkeys(COLUMNS, 0)
        assert {path.stem: " ".join(*written(path)) for path in tmp_path.iterdir()} == COLUMNS

    def test_a_second_export_replaces_the_first_and_leaves_nothing_else_behind(self, tmp_path: Path) -> None:
        generate(tmp_path, users=20, seed=1, at=AT)
        generate(tmp_path, users=0, seed=1, at=AT)
        assert {path.name for path in tmp_path.iterdir()} == {f"{table}.csv" for table in COLUMNS}
        assert written(tmp_path / "users.csv") == [COLUMNS["users"].split()]


class TestErrors:
    def test_a_negative_number_of_users_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"users is -1: ask for 0 \(headers only\) or more"):
            generate(tmp_path, users=-1, seed=7, at=AT)

    def test_a_naive_anchor_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="2026-03-01T09:30:00, which has no time zone"):
            generate(tmp_path, users=1, seed=7, at=AT.replace(tzinfo=None))

    def test_an_unknown_format_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="'xml': choose one of csv, parquet"):
            generate(tmp_path, users=1, seed=7, at=AT, file_format="xml")  # type: ignore[arg-type]

    def test_a_table_in_the_other_format_is_refused_before_anything_is_written(self, tmp_path: Path) -> None:
        (tmp_path / "trades.parquet").write_bytes(b"theirs")
        with pytest.raises(FileExistsError, match=r"trades\.parquet exists.*ambiguous: remove it"):
            generate(tmp_path, users=1, seed=7, at=AT)
        assert contents(tmp_path) == {"trades.parquet": b"theirs"}


class TestIntegrity:
    @pytest.mark.parametrize(("reference", "target"), REFERENCES)
    def test_every_reference_leads_somewhere(self, world: Query, reference: str, target: str) -> None:
        assert dangling(world, reference, target) == 0

    def test_only_some_variants_have_lost_their_product(self, world: Query) -> None:
        gone = dangling(world, "product_variants.product_id", "products.id")
        assert gone == 10 * 13
        assert world("SELECT count(*) FROM product_variants")[0][0] == 400 * 13

    @pytest.mark.parametrize("table", [table for table, columns in COLUMNS.items() if columns.startswith("id ")])
    def test_ids_are_unique_lowercase_uuids_of_version_4(self, world: Query, table: str) -> None:
        ids = [row[0] for row in world(f"SELECT id FROM {table}")]
        assert len(set(ids)) == len(ids)
        assert all(str(UUID(text)) == text and UUID(text).version == 4 for text in ids)

    def test_tokens_are_unique_and_look_like_fcm_s(self, world: Query) -> None:
        assert world("SELECT count(*) - count(DISTINCT token) FROM devices") == [(0,)]
        odd = world("SELECT token FROM devices WHERE NOT regexp_full_match(token, '[\\w-]{22}:APA91b[\\w-]{134}')")
        assert odd == []

    @pytest.mark.long
    @examples(12, few=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(users=st.integers(1, 40), seed=st.integers())
    def test_the_tiniest_worlds_hold_together(
        self, tmp_path_factory: pytest.TempPathFactory, users: int, seed: int
    ) -> None:
        directory = tmp_path_factory.mktemp("tiny")
        assert generate(directory, users=users, seed=seed, at=AT, file_format="parquet")["users"] == users
        query = opened(directory)
        assert [dangling(query, *reference) for reference in REFERENCES] == [0] * len(REFERENCES)


class TestTime:
    @pytest.mark.parametrize("hours", [-168, 0, 24, 73, 192])
    def test_every_audience_has_users_whatever_the_clock_says(self, small_world: Query, hours: int) -> None:
        now = (AT + timedelta(hours=hours)).replace(tzinfo=None)
        assert dict(small_world(LAYER_3, now=now)).keys() == {"offer", "closet", "wishlist"}
        assert dict(small_world(WATERFALL, now=now)).keys() == {1, 2, 3, 4, 5}

    @pytest.mark.parametrize("hours", [-168, 0, 24, 73, 192])
    def test_ten_thousand_users_give_audiences_that_fit_the_default_safeguards(
        self, world: Query, hours: int
    ) -> None:
        now = (AT + timedelta(hours=hours)).replace(tzinfo=None)
        layer_3: dict[str, int] = dict(world(LAYER_3, now=now))
        waterfall: dict[int, int] = dict(world(WATERFALL, now=now))
        assert min(layer_3.values()) >= 50
        assert sum(layer_3.values()) < 3_000
        assert min(waterfall.values()) >= 15

    def test_no_user_was_active_after_the_export_and_few_were_never_seen(self, world: Query) -> None:
        ((newest, seen),) = world("SELECT max(last_active), count(*) FROM user_activities")
        assert newest <= AT.replace(tzinfo=None)
        assert 9_900 <= seen < 10_000

    @pytest.mark.parametrize("table", ["inventory_items", "wishlist_items", "offers"])
    def test_activity_grows_over_sixty_days_and_goes_on_for_eight(self, world: Query, table: str) -> None:
        sql = f"SELECT floor(epoch(created_at - $at) / 86400)::INT AS day, count(*) FROM {table} GROUP BY day"
        days: dict[int, int] = dict(world(sql, at=AT.replace(tzinfo=None)))
        early, late = (sum(days[day] for day in span) for span in (range(-40, -30), range(-10, 0)))
        assert (min(days), max(days)) == (-60, 7)
        assert late > 1.4 * early
        assert min(days[day] for day in range(8)) > 0.6 * max(days[day] for day in range(8))

    def test_no_user_acts_before_joining(self, world: Query) -> None:
        for table, actor in (
            ("inventory_items", "user_id"),
            ("wishlist_items", "user_id"),
            ("offers", "creator_user_id"),
        ):
            sql = f"SELECT count(*) FROM {table} t JOIN users u ON u.id = t.{actor} WHERE t.created_at < u.created_at"
            assert world(sql) == [(0,)], table

    def test_most_members_are_old_and_three_to_five_percent_are_new(self, world: Query) -> None:
        sql = "SELECT avg((abs(epoch(created_at - $at)) < 14 * 86400)::INT), min(created_at) FROM users"
        ((new, oldest),) = world(sql, at=AT.replace(tzinfo=None))
        assert 0.03 <= new <= 0.05
        assert timedelta(days=2 * 365) < AT.replace(tzinfo=None) - oldest <= timedelta(days=3 * 365)


class TestPeople:
    @pytest.mark.parametrize(
        ("trait", "least", "most"),
        [
            ("deleted_at > 0", 0.02, 0.04),
            ("coalesce(first_name, '') = ''", 0.03, 0.05),
            ("bio IS NULL", 0.1, 0.25),
            ("trim(bio) = ''", 0.05, 0.25),
            ("avatar_id IS NULL", 0.15, 0.25),
            ("email IS NULL", 0.01, 0.03),
            ("username IS NULL", 0.005, 0.02),
            ("is_trusted_trader", 0.01, 0.06),
            ("id NOT IN (SELECT user_id FROM devices)", 0.1, 0.14),
            ("id IN (SELECT user_id FROM devices GROUP BY 1 HAVING count(*) > 1)", 0.13, 0.17),
            ("id IN (SELECT user_id FROM user_admin_informations WHERE freeze_reason <> '')", 0.005, 0.015),
            ("id IN (SELECT user_id FROM user_admin_informations WHERE is_trusted_trader_candidate)", 0.02, 0.06),
            ("id NOT IN (SELECT user_id FROM user_admin_informations)", 0.05, 0.15),
            ("id IN (SELECT user_id FROM user_activities WHERE last_active < $at - INTERVAL 90 DAYS)", 0.1, 0.3),
        ],
    )
    def test_each_trait_is_as_common_as_in_life(self, world: Query, trait: str, least: float, most: float) -> None:
        parameters = {"at": AT.replace(tzinfo=None)} if "$at" in trait else {}
        ((share,),) = world(f"SELECT avg(({trait})::INT) FROM users", **parameters)
        assert least <= share <= most

    def test_most_prefer_one_size_some_several_and_one_in_twelve_none(self, world: Query) -> None:
        shares: dict[int, float] = dict(
            world("""
            SELECT least(n, 2), count(*) / 10000 FROM (
                SELECT u.id, count(a.id) AS n FROM users u JOIN user_preferences p ON p.user_id = u.id
                LEFT JOIN attribute_preferences ap ON ap.user_preference_id = p.id AND ap.preferred
                LEFT JOIN attributes a ON a.id = ap.attribute_id AND a.name = 'mens_size' GROUP BY u.id)
            GROUP BY 1""")
        )
        assert shares[0] == pytest.approx(0.08, abs=0.01)
        assert 0.02 <= shares[2] <= 0.1

    def test_the_newest_of_several_devices_is_never_a_tie(self, world: Query) -> None:
        assert world("SELECT 1 FROM devices GROUP BY user_id, updated_at HAVING count(*) > 1") == []
        assert {row[0] for row in world("SELECT DISTINCT platform FROM devices")} == {"ios", "android", "web"}

    def test_names_and_bios_of_every_script_survive_the_csv(self, export: Path) -> None:
        header, *rows = written(export / "users.csv")
        users = [dict(zip(header, row, strict=True)) for row in rows]
        names = {user["first_name"] for user in users}
        assert {"Żółć", "美咲", "Zoë", "O'Brien", "🦊 Fox", "שירה", "Mary, Jane", 'Robert "Bo"', ""} <= names
        bios = {user["bio"] for user in users}
        assert {'They call me "the vault"', "First line: hello\nSecond line: DM me", "أحب الأحذية الرياضية"} <= bios

    def test_csv_and_parquet_tell_the_same_story(self, export: Path, tmp_path: Path) -> None:
        generate(tmp_path, users=1_000, seed=7, at=AT, file_format="parquet")
        kept = opened(tmp_path)("SELECT id, coalesce(first_name, ''), coalesce(bio, '') FROM users")
        assert [(row[0], row[2], row[4]) for row in written(export / "users.csv")[1:]] == kept


class TestMarket:
    def test_a_few_products_take_a_large_share(self, world: Query) -> None:
        counts = [
            row[0]
            for row in world("""
            SELECT count(*) AS n FROM inventory_items i JOIN product_variants v ON v.id = i.product_variant_id
            GROUP BY v.product_id ORDER BY n DESC""")
        ]
        assert sum(counts[:40]) > 0.5 * sum(counts)
        assert len(counts) > 350

    @pytest.mark.parametrize(("table", "actor"), [("inventory_items", "user_id"), ("offers", "creator_user_id")])
    def test_few_members_do_much_and_most_do_little(self, world: Query, table: str, actor: str) -> None:
        counts = [row[0] for row in world(f"SELECT count(*) AS n FROM {table} GROUP BY {actor} ORDER BY n DESC")]
        assert sum(counts[:500]) > 0.25 * sum(counts)
        assert sum(counts[5_000:]) < 0.1 * sum(counts)
        assert counts[0] > 20

    def test_a_wish_or_desire_names_a_variant_once_a_member(self, world: Query) -> None:
        for table in ("wishlist_items", "desired_items"):
            sql = f"SELECT 1 FROM {table} GROUP BY user_id, product_variant_id HAVING count(*) > 1"
            assert world(sql) == [], table

    @pytest.mark.parametrize("table", ["inventory_items", "wishlist_items", "desired_items", "offers"])
    def test_some_rows_are_deleted_after_they_were_made(self, world: Query, table: str) -> None:
        sql = f"SELECT avg((deleted_at > 0)::INT) FROM {table}"
        assert 0.01 < world(sql)[0][0] < 0.12
        assert world(f"FROM {table} WHERE deleted_at > 0 AND deleted_at <= epoch(created_at)") == []

    def test_offers_go_to_another_user_in_every_status_and_some_hold_several_pairs(self, world: Query) -> None:
        assert world("FROM offers WHERE creator_user_id = receiver_user_id") == []
        statuses = {row[0] for row in world("SELECT DISTINCT offer_status FROM offers")}
        assert statuses == {"OPEN", "PENDING", "ACCEPTED", "DECLINED", "CANCELLED", "EXPIRED"}
        sizes = {row[0] for row in world("SELECT count(*) FROM offer_items GROUP BY offer_id")}
        assert sizes == {1, 2, 3, 4}

    def test_trades_come_from_accepted_offers_and_some_are_not_validated(self, world: Query) -> None:
        assert world("FROM trades t JOIN offers o ON o.id = t.offer_id WHERE offer_status <> 'ACCEPTED'") == []
        ((validated,),) = world("SELECT count(validation_passed_date) / count(*) FROM trades")
        assert 0.65 < validated < 0.85

    def test_some_offers_target_a_product_that_is_gone(self, world: Query) -> None:
        ((share,),) = world("""
            SELECT avg((product_id NOT IN (SELECT id FROM products))::INT)
            FROM offer_items i JOIN product_variants v ON v.id = i.product_variant_id""")
        assert 0.005 < share < 0.05
