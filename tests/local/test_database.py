"""The embedded database in trouble: one clear error, work once it is over, and never a crash."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from functions.domain.errors import StoreUnavailable
from local.embedded.database import Database

ROOT = Path(__file__).parents[2]
CLOSE_UNDER_WRITERS = """
import sys, threading
from pathlib import Path
from functions.domain.errors import StoreUnavailable
from local.embedded.database import Database

database = Database(Path(sys.argv[1]))
database.define("CREATE TABLE IF NOT EXISTS things (thing BLOB)")
written = threading.Semaphore(0)

def write():
    try:
        while True:
            with database.transaction() as connection:
                connection.executemany("INSERT INTO things VALUES (?)", [(b"x" * 5000,)] * 200)
            written.release()
    except StoreUnavailable:
        return

threads = [threading.Thread(target=write) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(4):
    written.acquire()
database.close()
for thread in threads:
    thread.join()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tminus.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(Database(path)) as opened:
        opened.define("CREATE TABLE IF NOT EXISTS things (thing TEXT)")
        yield opened


def add(database: Database, thing: str) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES (?)", (thing,))


def things(database: Database) -> list[str]:
    return [row["thing"] for row in database.rows("SELECT thing FROM things")]


def test_closing_under_writers_ends_their_work_and_not_the_process(path: Path) -> None:
    command = [sys.executable, "-X", "faulthandler", "-c", CLOSE_UNDER_WRITERS, str(path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    with closing(sqlite3.connect(path)) as left:
        [[count]] = left.execute("SELECT count(*) FROM things").fetchall()
    assert count % 200 == 0


def test_a_database_that_another_process_holds_is_reported_within_a_second(database: Database, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="another process holds the database"):
            database.check()
        other.rollback()
    database.check()
    add(database, "after")
    assert things(database) == ["after"]


def test_a_state_folder_that_is_gone_is_refused_until_it_is_back(database: Database, path: Path) -> None:
    add(database, "before")
    elsewhere = path.parent.rename(path.parent.with_name("elsewhere"))
    with pytest.raises(StoreUnavailable, match="put the folder back"):
        add(database, "lost")
    with pytest.raises(StoreUnavailable, match="put the folder back"):
        things(database)
    assert not path.parent.exists()
    elsewhere.rename(path.parent)
    add(database, "after")
    assert things(database) == ["before", "after"]


def test_another_database_in_its_place_is_not_written_to(database: Database, path: Path) -> None:
    path.rename(path.with_name("old.db"))
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE things (thing TEXT)")
    with pytest.raises(StoreUnavailable, match="start tminus again"):
        add(database, "lost")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT * FROM things").fetchall() == []


def test_a_damaged_file_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "tminus.db").write_bytes(b"no database" * 1000)
    words = r"tminus\.db: the database is damaged; restore a copy, or move"
    with closing(Database(tmp_path / "tminus.db")) as damaged, pytest.raises(StoreUnavailable, match=words):
        damaged.check_format(3)
