"""User data in a bucket are read as those of a folder are, and nothing but them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from audience_jobs.engines.sealed_database import sealed_database
from audience_jobs.engines.user_folder import user_folder
from audience_jobs.errors import BadData, MissingColumn, MissingTable, NoUserData
from audience_jobs.workspace import Workspace
from local.sample import generate
from tests.audience_jobs.examples import arguments_for
from tests.audience_jobs.marketplace import DuckDBEngine, all_jobs
from tests.audience_jobs.test_jobs_command import tminus
from tests.audience_jobs.worlds import NOW
from tests.audience_jobs.written import written
from tests.command import Tminus

__all__ = ["tminus"]
Upload = Callable[..., str]


@pytest.fixture
def upload(emulators: Mapping[str, str]) -> Upload:
    """Put files into a folder of the test's own bucket, and give the folder's address."""
    assert emulators["STORAGE_EMULATOR_HOST"]  # Google's client finds it in the environment
    client = Client(project="demo", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    bucket = client.create_bucket(f"user-data-{uuid4().hex}")

    def put_there(*paths: Path, folder: str = "exports/shop", **contents: bytes) -> str:
        for path in paths:
            bucket.blob(f"{folder}/{path.name}").upload_from_filename(path)
        for table, content in contents.items():
            bucket.blob(f"{folder}/{table}.csv").upload_from_string(content)
        return f"gs://{bucket.name}/{folder}"

    return put_there


@pytest.mark.long
@pytest.mark.parametrize("suffix", ["csv", pytest.param("parquet", marks=pytest.mark.long)])
def test_every_job_writes_the_same_bytes_from_a_bucket(upload: Upload, tmp_path: Path, suffix: str) -> None:
    generate(tmp_path, users=1_000, seed=1, at=NOW)
    arguments = {job.id: arguments_for(job, tmp_path) for job in all_jobs()}
    tables = sorted(tmp_path.glob("*.csv"))
    address = upload(*tables if suffix == "csv" else map(as_parquet, tables))
    for job in all_jobs():
        expected = written(DuckDBEngine(tmp_path), job, tmp_path, **arguments[job.id])
        assert written(DuckDBEngine(address), job, tmp_path, **arguments[job.id]) == expected


def as_parquet(table: Path) -> Path:
    """Write the table as Parquet in the CSV's place."""
    path = table.with_suffix(".parquet")
    duckdb.sql(f"COPY (FROM read_csv('{table}', all_varchar = true)) TO '{path}'")
    table.unlink()
    return path


def test_what_is_wrong_is_named_by_its_address(upload: Upload, tmp_path: Path) -> None:
    def devices(address: str) -> int:
        return DuckDBEngine(address).write_devices_of(["u"], tmp_path / "out", per_user=1)

    address = upload(users=b"id,username\n")
    with pytest.raises(MissingTable, match=f"add devices.csv or devices.parquet to {address}$"):
        devices(address)
    upload(devices=b"user_id,token\n")
    with pytest.raises(MissingColumn, match=f"{address}/devices.csv lacks the column 'platform'"):
        devices(address)
    upload(devices=b"user_id,token,platform,updated_at\nu,t,ios,yesterday\n")
    with pytest.raises(BadData, match=rf"{address}/devices.csv: column 'updated_at' holds a private value"):
        devices(address)
    upload(devices=b"user_id,token,platform,updated_at\nu,t\n")
    with pytest.raises(BadData, match=rf"{address}/devices.csv: line 2 has 2 fields instead of 4"):
        devices(address)
    with pytest.raises(NoUserData, match=r"exports/empty has no table in it: put one CSV or Parquet"):
        devices(address.replace("shop", "empty"))
    with pytest.raises(NoUserData, match="gs://nowhere-at-all is in a bucket that does not exist"):
        devices("gs://nowhere-at-all")


def test_a_header_with_a_mark_and_quotes_is_read_and_a_second_file_of_a_table_is_an_error(
    upload: Upload, tmp_path: Path
) -> None:
    address = upload(devices='\ufeff"user_id",token,"platform",updated_at\nu,t,ios,\n'.encode())
    assert DuckDBEngine(address).write_devices_of(["u"], tmp_path / "out", per_user=1) == 1
    assert (tmp_path / "out").read_text() == "user_id,token,platform,updated_at,fid,locale\nu,t,ios,,,\n"
    other = tmp_path / "devices.parquet"
    duckdb.sql(f"COPY (SELECT 'u' AS user_id) TO '{other}'")
    upload(other)
    with pytest.raises(BadData, match=r"devices.csv: devices.parquet exists too; remove the outdated one"):
        DuckDBEngine(address).write_devices_of(["u"], tmp_path / "out", per_user=1)


def test_a_locked_connection_reaches_no_other_folder_and_no_file_of_the_machine(
    upload: Upload, tmp_path: Path
) -> None:
    address, other = upload(users=b"id\n1\n"), upload(users=b"id\n2\n", folder="exports/shop-two")
    with sealed_database(user_folder(address), tmp_path, memory_limit_mib=64) as connection:
        assert connection.execute(f"FROM read_csv('{address}/users.csv')").fetchall() == [(1,)]
        for elsewhere in (f"{other}/users.csv", "/etc/passwd", "https://example.com/users.csv"):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(f"FROM read_csv('{elsewhere}')")


def test_the_command_runs_a_job_on_a_bucket(upload: Upload, tminus: Tminus, tmp_path: Path) -> None:
    generate(tmp_path, users=200, seed=1, at=NOW)
    address = upload(*tmp_path.glob("*.csv"))
    job = ("jobs", "run", "generate_new_user_waterfall", "--preview", 0, "--at", NOW.isoformat(), "--data")
    assert tminus(*job, address).out == tminus(*job, tmp_path).out != ""


def test_the_tables_of_a_bucket_are_found(upload: Upload, tminus: Tminus, tmp_path: Path) -> None:
    address = upload(users=b"id;mail;n\n1;ann@kicks.example;5\n2;bo@kicks.example;6\n", empty=b"")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "tminus.toml").write_text(f'name = "shop"\n[source]\ndata = "{address}"\n')
    made = tminus("--workspace", tmp_path / "shop", "tables")
    assert (made.status, made.err) == (0, 'left out: "empty.csv" (file): it is empty: export it with its header\n')
    users = Workspace(tmp_path / "shop").tables["users"]
    assert dict(users.types) == {"id": "id", "mail": "text", "n": "integer"}
    assert users.private_columns == {"mail"}
    upload(users=b"id;mail\n1;ann@kicks.example\n", folder="exports/other")
    other = address.replace("shop", "other")
    differing = tminus("--workspace", tmp_path / "shop", "tables", "--check", "--data", other)
    assert differing.status == 2
    assert f"users.n: is not in {other} any more: put it back, or take it out of the file" in differing.err
