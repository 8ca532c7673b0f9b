"""The BigQuery engine against a second implementation, and with jobs, data and datasets that are at fault."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from google.cloud.bigquery import SchemaField, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_jobs.contract import DEVICES_FILE, Check, Freshness, Parameter
from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.errors import BadJob, CheckFailed, MissingInDataset, NoDataset, NotExported, StaleData
from tests.audience_jobs.marketplace import find
from tests.audience_jobs.test_reference import (
    LAYER_2,
    LAYER_3,
    SHOWCASE,
    WATERFALL,
    databases,
    layer_3,
    read_csv,
    waterfall,
    write_tables,
)
from tests.audience_jobs.test_reference_layer_2 import layer_2, showcase
from tests.audience_jobs.worlds import NOW, hours_ago, put, rows_of, seconds, user
from tests.audience_jobs.written import sample_job, written

ANN = "0b0e7a52-9f4e-4b0e-8f7a-00000000abcd"
Filled = Callable[..., BigQueryEngine]
REFERENCES: Mapping[str, Callable[[Any], Any]] = {
    LAYER_2: layer_2,
    LAYER_3: layer_3,
    SHOWCASE: lambda data: showcase(data, product_id="p1"),
    WATERFALL: waterfall,
}


@settings(max_examples=8, deadline=None)
@given(data=databases, job_id=st.sampled_from(sorted(REFERENCES)))
def test_a_job_writes_what_the_reference_works_out(filled: Filled, data: Any, job_id: str) -> None:
    job = find(job_id)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_tables(folder, data)
        arguments = {"product_id": "p1"} if job_id == SHOWCASE else {}
        found = {}
        with filled(folder).run(job, arguments, now=NOW) as run:
            for audience in job.audiences:
                run.write_audience(audience.name, folder / "audience.out")
                found[audience.name] = sorted(read_csv(folder / "audience.out")[1])
        assert found == REFERENCES[job_id](data)


def test_given_users_get_their_newest_devices(filled: Filled, tmp_path: Path) -> None:
    devices = [
        {"user_id": ANN, "token": f"t{age}", "platform": "ios", "updated_at": hours_ago(age)} for age in (3, 1, 2)
    ]
    put(tmp_path, {"devices": [*devices, devices[0], {**devices[1], "token": "  "}, {**devices[1], "user_id": "x"}]})
    engine = filled(tmp_path)
    assert engine.write_devices_of([ANN.upper(), "stranger", "x') OR true --"], tmp_path / "out.csv", per_user=2) == 2
    assert (tmp_path / "out.csv").read_text() == (
        "user_id,token,platform,updated_at,fid,locale\n"
        f"{ANN.upper()},t1,ios,{seconds(1)},,\n{ANN.upper()},t2,ios,{seconds(2)},,\n"
    )
    assert engine.write_devices_of(["stranger"], tmp_path / "out.csv", per_user=2) == 0
    assert (tmp_path / "out.csv").read_text() == "user_id,token,platform,updated_at,fid,locale\n"


def test_what_a_recipe_gives_is_bound_and_never_run(filled: Filled, tmp_path: Path) -> None:
    engine = filled(put(tmp_path, {"users": [user("ann")]}))
    echo = sample_job(
        "SELECT 'all' AS audience, $product_id AS user_id",
        parameters=(Parameter(name="product_id", type="text", meaning=""),),
    )
    for hostile in ("'; DROP TABLE users; --", "@now $1 %s ?", "' || SESSION_USER() || '", "\\'; SELECT 1", "`x`"):
        assert hostile.encode() in written(engine, echo, tmp_path, productId=hostile)["all"]
    everybody = sample_job("SELECT 'all' AS audience, id AS user_id FROM users")
    assert written(engine, everybody, tmp_path)["all"] == b"user_id\nann\n"


def test_many_files_are_sorted_into_one_and_none_stays_in_the_bucket(filled: Filled, tmp_path: Path) -> None:
    engine = filled(put(tmp_path, {"users": [user(f"u{n}", bio="b" * 60) for n in range(9_000)]}))
    job = sample_job("SELECT 'all' AS audience, id AS user_id, bio FROM users", bio="text")
    before = engine.bucket.arrived
    rows = written(engine, job, tmp_path)["all"].splitlines()[1:]
    assert engine.bucket.arrived - before > 3, "the stand-in cuts at 200 kB"
    assert rows == sorted(rows, key=lambda row: md5(row.split(b",")[0]).hexdigest())
    assert len(set(rows)) == 9_000
    assert list(engine.bucket.list_blobs(prefix="exports/")) == []


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("SELECT 'all' AS audience, 1 AS x", "yields no column user_id"),
        ("SELECT 'some' AS audience, 'u' AS user_id", "rows of audience 'some', which it does not declare"),
        ("SELECT 'all' AS audience, CAST(CAST('x' AS TEXT) AS INTEGER) AS user_id", "its SQL fails: "),
        ("SELECT 'all' AS audience, nonsense AS user_id FROM users", "its SQL .*nonsense"),
        ("SELECT 'all' AS audience, pg_sleep(1) AS user_id", r"its SQL calls pg_sleep\(\)"),
    ],
)
def test_a_job_whose_sql_is_not_what_it_declares_is_named(
    filled: Filled, tmp_path: Path, sql: str, complaint: str
) -> None:
    with pytest.raises(BadJob, match=f"audience job sample: .*{complaint}"):
        written(filled(put(tmp_path, {})), sample_job(sql), tmp_path)


def test_checks_and_freshness_are_held_to(filled: Filled, tmp_path: Path) -> None:
    engine = filled(put(tmp_path, {"user_activities": [{"user_id": "u", "last_active": hours_ago(31)}]}))
    one_user = sample_job("SELECT 'all' AS audience, 'u' AS user_id, 7 AS seven", seven="integer")
    check = Check(name="some", failing_sql="SELECT sum(seven) / 2 FROM job_rows", meaning="there are users")
    with pytest.raises(CheckFailed, match=r"sample: there are users \(check 'some': 3\)"):
        written(engine, replace(one_user, checks=(check,)), tmp_path)
    fresh = Freshness(table="user_activities", column="last_active", hours=30)
    with pytest.raises(StaleData, match=r"newest user_activities\.last_active is 2026-11-22 11:00 UTC, more than 30"):
        written(engine, replace(one_user, freshness=fresh), tmp_path)


def test_a_bucket_that_is_not_there_is_named_with_what_it_needs(filled: Filled, tmp_path: Path) -> None:
    engine = filled(put(tmp_path, {"users": [user("ann")]}))
    job = sample_job("SELECT 'all' AS audience, id AS user_id FROM users")
    elsewhere = replace(engine, bucket=engine.bucket.client.bucket("nowhere"))
    with pytest.raises(
        NotExported, match=r"sample: .* exported to gs://nowhere/exports/: .*AUDIENCE_BUCKET has to be"
    ):
        written(elsewhere, job, tmp_path)


def remake(engine: BigQueryEngine, *columns: str) -> None:
    engine.client.delete_table("demo.shop.users")
    engine.client.create_table(Table("demo.shop.users", [SchemaField(name, "STRING") for name in columns]))


def test_what_is_missing_is_named(filled: Filled, tmp_path: Path) -> None:
    engine = filled(put(tmp_path, {}))
    names = sample_job("SELECT 'all' AS audience, id AS user_id FROM users WHERE bio <> ''")
    remake(engine, "id", "bio")
    assert written(engine, names, tmp_path)["all"] == b"user_id\n", "the job does not read that column"
    remake(engine, "id", "email")
    with pytest.raises(
        MissingInDataset, match=r"'users\.bio' is missing in the dataset 'demo\.shop' of USER_DATASET"
    ):
        written(engine, names, tmp_path)
    engine.client.delete_table("demo.shop.users")
    engine.client.delete_table("demo.shop.devices")
    with pytest.raises(MissingInDataset, match=r"'users' is missing .* grant roles/bigquery\.dataViewer"):
        written(engine, names, tmp_path)
    with pytest.raises(MissingInDataset, match="'devices' is missing"):
        engine.write_devices_of(["u"], tmp_path / "out.csv", per_user=1)
    with pytest.raises(NoDataset, match=r"'demo\.nowhere' does not exist or cannot be read: set USER_DATASET"):
        written(replace(engine, dataset="demo.nowhere"), names, tmp_path)


def test_a_result_of_several_tables_is_read_at_its_own_columns_only(filled: Filled, tmp_path: Path) -> None:
    """A job's own names may be those of columns elsewhere, or words of GoogleSQL."""
    engine = filled(put(tmp_path, {"users": [user("ann", bio="b")], "devices": [{"user_id": "ann", "token": "t"}]}))
    job = sample_job(
        """WITH hash AS (SELECT id AS "rows", bio AS "groups" FROM users)
           SELECT 'all' AS audience, h."rows" AS user_id, h."groups" AS "Of", d.token AS "at"
           FROM hash h JOIN devices d ON d.user_id = h."rows" """,
        Of="text",
        at="text",
    )
    assert written(engine, job, tmp_path)["all"] == b"user_id,Of,at\nann,b,t\n"
    assert rows_of(tmp_path / "devices.out") == [dict.fromkeys(DEVICES_FILE, "") | {"user_id": "ann", "token": "t"}]
