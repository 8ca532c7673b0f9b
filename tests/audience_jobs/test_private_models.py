"""What is private stays private by way of models, however a query asks, and however a model is written."""

from pathlib import Path

import pytest

from audience_jobs.contract import Engine
from audience_jobs.criteria import read_criteria
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.errors import BadCriteria, BadJob, BadWorkspace
from audience_jobs.workspace import Workspace
from tests.audience_jobs import postgres as databases
from tests.audience_jobs import test_private_data as private
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.audience_jobs.test_foreign_tables import found
from tests.audience_jobs.worlds import NOW
from tests.audience_jobs.written import sample_job

CLIENTS = "SELECT id, username, bio, phone FROM members"
CHAIN = "SELECT c.id, c.username, c.bio, c.phone FROM clients c"
LEAKS = [
    "SELECT id, phone AS x FROM members",
    "SELECT id, lower(substring(m.phone, 1, 99)) AS x FROM members m",
    "SELECT id, coalesce(bio, phone) AS x FROM members",
    "SELECT id, CASE WHEN phone IS NULL THEN 1 ELSE 2 END AS x FROM members",
    "SELECT id, phone || bio AS x FROM members",
    "SELECT id, row_number() OVER (ORDER BY phone) AS x FROM members",
    "SELECT id, min(phone) FILTER (WHERE phone IS NOT NULL) AS x FROM members GROUP BY id",
    "SELECT id, (SELECT max(v.phone) FROM members v) AS x FROM members",
    "SELECT id, (SELECT count(*) FROM members v WHERE v.phone < m.phone) AS x FROM members m",
    "SELECT id, EXISTS (SELECT 1 FROM members v WHERE v.phone = m.bio) AS x FROM members m",
    "SELECT id, phone IN (SELECT bio FROM members) AS x FROM members",
    "WITH a AS (SELECT id, phone AS y FROM members) SELECT id, y AS x FROM a",
    "WITH a(i, y) AS (SELECT id, phone FROM members) SELECT i AS id, y AS x FROM a",
    "WITH a AS (SELECT * FROM members), b AS (SELECT * FROM a) SELECT id, phone AS x FROM b",
    "SELECT a.id, a.y AS x FROM (SELECT id, phone AS y FROM members) AS a",
    "SELECT a.i AS id, a.y AS x FROM (SELECT id, phone FROM members) AS a(i, y)",
    "SELECT id, username AS x FROM members UNION ALL SELECT id, phone FROM members",
    "SELECT id, phone AS x FROM members UNION SELECT id, username FROM members",
    "SELECT id, x FROM (SELECT id, bio AS x FROM members UNION ALL SELECT id, phone FROM members) AS a",
    "SELECT m.id, CAST(t.x AS TEXT) AS x FROM members m, unnest(string_to_array(m.phone, '-')) AS t(x)",
    "SELECT m.id, phone AS x FROM members m JOIN (SELECT phone FROM members) AS a USING (phone)",
    "SELECT user_id AS id, token AS x FROM tokens",
    "SELECT m.id, t.user_id AS x FROM members m JOIN tokens t ON t.user_id = m.id",
    "SELECT m.id, (SELECT count(*) FROM tokens t WHERE t.user_id = m.id) AS x FROM members m",
    "SELECT c.id, c.phone AS x FROM clients c",
    "SELECT c.id, upper(c.phone) AS x FROM chain c",
    "SELECT id, row_number() OVER w AS x FROM members WINDOW w AS (ORDER BY phone)",
    "SELECT id, row_number() OVER v AS x FROM members WINDOW w AS (PARTITION BY phone), v AS (w ORDER BY id)",
    "SELECT id, x FROM (SELECT id, count(*) OVER w AS x FROM members WINDOW w AS (PARTITION BY phone)) AS a",
    "SELECT m.id, CAST(v.x AS TEXT) AS x FROM members m, (VALUES ((SELECT max(phone) FROM members))) AS v(x)",
    "SELECT m.id, CAST(t.x AS TEXT) AS x FROM members m, upper((SELECT max(phone) FROM members)) AS t(x)",
    """SELECT members.id, CAST(t.x AS TEXT) AS x FROM (SELECT id, bio AS phone FROM members) AS members,
        unnest(string_to_array((SELECT max(members.phone) FROM members), '-')) AS t(x)""",
    "SELECT id, x FROM (SELECT id, phone AS x, bio AS x FROM members) AS a",
    'SELECT id, x FROM (SELECT id, phone AS "X", bio AS x FROM members) AS a',
]
HARMLESS = [
    "SELECT id, username AS x FROM members",
    "SELECT id, bio AS x FROM members WHERE phone IS NOT NULL",
    "SELECT m.id, a.bio AS x FROM members m JOIN members a ON a.phone = m.phone",
    "SELECT id, count(*) AS x FROM members GROUP BY id",
    "WITH a AS (SELECT * FROM members) SELECT id, username AS x FROM a",
    "SELECT m.id, CAST(t.x AS TEXT) AS x FROM members m, unnest(string_to_array(m.bio, '-')) AS t(x)",
    "SELECT m.id, w.minutes AS x FROM members m JOIN workouts w ON w.memberId = m.id",
    "SELECT c.id, c.bio AS x FROM clients c",
    "SELECT id, (SELECT max(minutes) FROM workouts) AS x FROM members",
    "SELECT id, row_number() OVER w AS x FROM members WINDOW w AS (ORDER BY bio)",
    "SELECT m.id, CAST(v.x AS TEXT) AS x FROM members m, (VALUES ('a'), ('b')) AS v(x)",
    "SELECT m.id, t.x FROM members m JOIN (SELECT CAST(v.x AS TEXT) AS x FROM (VALUES ('a')) AS v(x)) AS t ON true",
]


def gym(folder: Path, **more: str) -> Workspace:
    return fitness(folder / "fitness", devices=True, models={**MODELS, "clients": CLIENTS, "chain": CHAIN, **more})


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return gym(tmp_path)


@pytest.fixture
def engines(shop: Workspace, postgres: str) -> list[Engine]:
    data = shop.folder / "data"
    databases.fill(postgres, data, shop.tables)
    return [DuckDBEngine(data, shop), PostgresEngine(postgres, shop)]


def of(model: str, sql: str) -> str:
    """Return a query over users and their addresses as one over a model and its phones."""
    for word, other in (("users", model), ("email", "phone"), ("offers", "trained")):
        for change in (str, str.upper, str.capitalize):
            sql = sql.replace(change(word), change(other))
    return sql


@pytest.mark.parametrize("model", ["clients", "chain"])
@pytest.mark.parametrize("queries", [private.ASKS_FOR_ADDRESSES, private.ASKS_FOR_TOKENS], ids=["column", "devices"])
def test_nothing_private_leaves_by_way_of_a_model(
    queries: list[str], model: str, shop: Workspace, engines: list[Engine], tmp_path: Path
) -> None:
    for sql in queries:
        for engine in engines:
            answer = found(engine, shop, of(model, sql), tmp_path / "out.csv")
            assert answer.startswith("refused: "), (sql, answer)
            assert f"{SECRET}-bob" not in answer, sql


@pytest.mark.long
@pytest.mark.parametrize("model", ["clients", "chain"])
def test_a_star_over_a_model_has_no_private_columns(
    model: str, shop: Workspace, engines: list[Engine], tmp_path: Path
) -> None:
    for sql in private.COUNTS_COLUMNS:
        for engine in engines:
            answer = found(engine, shop, of(model, sql).replace("i, b, c, e", "i, b, e"), tmp_path / "out.csv")
            assert SECRET not in answer, (sql, answer)


@pytest.mark.parametrize("sql", LEAKS, ids=lambda sql: sql[:60])
def test_what_is_made_of_private_data_is_private(sql: str, tmp_path: Path) -> None:
    workspace = gym(tmp_path, leak=sql)
    assert "x" in workspace.models["leak"].private
    for query in ("SELECT id AS user_id, x FROM leak", "SELECT l.id AS user_id FROM leak l ORDER BY l.x"):
        with pytest.raises(BadCriteria, match="private"):
            read_criteria({"customQuery": query}, workspace)


@pytest.mark.parametrize("sql", HARMLESS, ids=lambda sql: sql[:60])
def test_what_is_only_decided_by_private_data_is_public(sql: str, tmp_path: Path) -> None:
    workspace = gym(tmp_path, fine=sql)
    assert workspace.models["fine"].private == frozenset()
    assert read_criteria({"customQuery": "SELECT id AS user_id FROM fine"}, workspace)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT m.id, CAST(m AS TEXT) AS x FROM members m", "reads m as a whole row"),
        ("SELECT a AS id, d AS x FROM members AS m(a, b, c, d)", "renames the columns of members in their order"),
        ("SELECT m.id, m.bio AS x FROM members m NATURAL JOIN clients c", "uses NATURAL JOIN"),
        ("SELECT m.id, m.bio AS x FROM ((members m))", "has the table members in parentheses"),
        (
            "SELECT id, bio AS x, phone FROM members UNION BY NAME SELECT id, bio AS phone, phone AS x FROM members",
            "uses UNION by the names of columns",
        ),
        ("SELECT user_id, token AS x FROM devices", "only models/devices.sql reads device tokens"),
        ("SELECT id, 1 AS x FROM members WHERE EXISTS (SELECT 1 FROM devices)", "only models/devices.sql reads"),
    ],
)
def test_a_model_names_what_it_reads(sql: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadWorkspace, match=told):
        gym(tmp_path, leak=sql).check()


def test_no_job_reads_devices(engines: list[Engine]) -> None:
    job = sample_job("SELECT 'all' AS audience, user_id FROM devices")
    for engine in engines:
        with pytest.raises(BadJob, match="reads devices, which is private: only sending"):
            engine.run(job, {}, now=NOW).__enter__()
