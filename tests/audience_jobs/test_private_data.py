"""Device tokens and e-mail addresses stay where they are, however a query of a recipe or a caller asks for them."""

from pathlib import Path

import pytest

from audience_jobs.contract import Engine
from audience_jobs.errors import AudienceJobError, BadCriteria
from tests.audience_jobs.marketplace import DuckDBEngine, PostgresEngine, job_of, read_criteria, read_query
from tests.audience_jobs.postgres import fill
from tests.audience_jobs.worlds import NOW, put, user

SECRET = "hush"
ASKS_FOR_ADDRESSES = [
    "SELECT id AS user_id, email AS x FROM users",
    "SELECT id AS user_id, u.email AS x FROM users u",
    "SELECT id AS user_id, u.EMAIL AS x FROM users u",
    'SELECT id AS user_id, u."email" AS x FROM users u',
    "SELECT id AS user_id, lower(substring(email, 1, 99)) AS x FROM users",
    "SELECT id AS user_id, (SELECT max(v.email) FROM users v) AS x FROM users",
    "SELECT id AS user_id FROM users WHERE email LIKE 'hush%'",
    "SELECT id AS user_id FROM users ORDER BY email LIMIT 1",
    "SELECT id AS user_id FROM users GROUP BY id, email HAVING min(email) > 'h'",
    "SELECT id AS user_id, row_number() OVER (ORDER BY email) AS x FROM users",
    "WITH a AS (SELECT id, email AS x FROM users) SELECT id AS user_id, x FROM a",
    "WITH a(i, x) AS (SELECT id, email FROM users) SELECT i AS user_id, x FROM a",
    "WITH a AS (SELECT * FROM users) SELECT id AS user_id, email AS x FROM a",
    "WITH a AS (FROM users) SELECT id AS user_id, email AS x FROM a",
    "SELECT i AS user_id, e AS x FROM users AS a(i, b, c, e)",
    "SELECT i AS user_id, e AS x FROM users a(i, b, c, e) JOIN users ON users.id = i",
    "WITH a(i, b, c, e) AS (SELECT * FROM (users)) SELECT i AS user_id, e AS x FROM a",
    "SELECT i AS user_id, e AS x FROM (SELECT '' AS i, '' AS b, '' AS c, '' AS e UNION ALL SELECT * FROM users) AS a",
    "SELECT users.id AS user_id, CAST(users AS TEXT) AS x FROM users",
    "SELECT u.id AS user_id, CAST(u AS TEXT) AS x FROM users u",
    "SELECT a.id AS user_id, CAST(a AS TEXT) AS x FROM (SELECT * FROM users) AS a",
    "WITH a AS (SELECT * FROM users) SELECT a.id AS user_id, CAST(a AS TEXT) AS x FROM a",
    "SELECT u.id AS user_id, u || '' AS x FROM users u",
    "SELECT u.id AS user_id, coalesce(CAST(u AS TEXT), '') AS x FROM users u",
    "SELECT u.id AS user_id, CAST((SELECT v FROM users v LIMIT 1) AS TEXT) AS x FROM users u",
    "SELECT u.id AS user_id, u ->> 'email' AS x FROM users u",
    "SELECT u.id AS user_id, to_json(u) ->> 'email' AS x FROM users u",
    "SELECT u.id AS user_id, CAST(row_to_json(u) AS TEXT) AS x FROM users u",
    "SELECT u.id AS user_id, (u).email AS x FROM users u",
    "SELECT u.id AS user_id, users.email AS x FROM users u",
    "SELECT u.id AS user_id FROM users u JOIN (SELECT 'hush-ann@kicks.example' AS email) AS a USING (email)",
    "SELECT u.id AS user_id FROM users u NATURAL JOIN (SELECT 'hush-ann@kicks.example' AS email) AS a",
    "SELECT u.id AS user_id FROM users u NATURAL JOIN (SELECT * FROM users) AS a",
    "SELECT u.id AS user_id FROM users u WHERE (u.id, 'hush-ann@kicks.example') IN (SELECT id, email FROM users)",
    "SELECT u.id AS user_id FROM users u WHERE EXISTS (SELECT 1 FROM users v WHERE v.email = u.email)",
    "SELECT id AS user_id, min(email) FILTER (WHERE email IS NOT NULL) AS x FROM users GROUP BY id",
    "SELECT DISTINCT ON (email) id AS user_id FROM users",
    "SELECT id AS user_id, CASE WHEN email IS NULL THEN 1 ELSE 2 END AS x FROM users",
    "SELECT id AS user_id FROM users LIMIT (SELECT length(email) FROM users LIMIT 1)",
    "SELECT u.id AS user_id, a.x AS x FROM users u JOIN (SELECT email AS x FROM users) a ON true",
]
COUNTS_COLUMNS = [
    "SELECT i AS user_id, e AS x FROM (SELECT * FROM users) AS a(i, b, c, e)",
    "WITH a(i, b, c, e) AS (SELECT * FROM users) SELECT i AS user_id, e AS x FROM a",
    "WITH a(i, b, c, e) AS (SELECT u.* FROM (users u JOIN offers o ON true)) SELECT i AS user_id, e AS x FROM a",
    "WITH a(i, b, c, e) AS (SELECT v.* FROM (users u JOIN users v ON true)) SELECT i AS user_id, e AS x FROM a",
]
ASKS_FOR_TOKENS = [
    "SELECT user_id, token AS x FROM devices",
    "SELECT user_id, token AS x FROM Devices",
    "SELECT user_id, token AS x FROM (devices)",
    "SELECT u.id AS user_id, d.token AS x FROM users u JOIN devices d ON d.user_id = u.id",
    "WITH a AS (SELECT * FROM devices) SELECT user_id, token AS x FROM a",
    "SELECT u.id AS user_id, (SELECT max(token) FROM devices) AS x FROM users u",
    "SELECT id AS user_id FROM users WHERE id IN (SELECT user_id FROM devices WHERE token LIKE 'hush%')",
    "SELECT id AS user_id FROM users WHERE EXISTS (SELECT 1 FROM devices)",
    "SELECT i AS user_id, CAST(x AS TEXT) AS x FROM (SELECT u.id AS i, devices AS x FROM users u, devices) AS a",
]
READS_WHAT_IS_PUBLIC = [
    "SELECT id AS user_id, username AS x FROM users",
    "SELECT U.Id AS user_id, Username AS x FROM Users AS U",
    "SELECT a.id AS user_id, a.username AS x FROM (SELECT * FROM users) AS a",
    "SELECT i AS user_id, b AS x FROM (SELECT * FROM users) AS a(i, b)",
    "SELECT u.id AS user_id, u.username AS x FROM (users u JOIN users v ON v.id = u.id)",
    "SELECT u.id AS user_id, min(v.username) AS x FROM users u, users v WHERE v.id = u.id GROUP BY u.id",
    "SELECT id AS user_id, username AS x FROM users WHERE EXISTS (SELECT * FROM users)",
    "SELECT u.id AS user_id, u.username AS x FROM users u WHERE u.created_at < $now - INTERVAL '30 days'",
    "SELECT id AS user_id, username AS x FROM users WHERE (SELECT count(*) FROM users) = 2",
    "WITH chosen AS (SELECT id, username AS x FROM users) SELECT * FROM (SELECT id AS user_id, x FROM chosen) AS a",
]


@pytest.fixture(scope="module")
def engines(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> list[Engine]:
    """Two users with secrets, in files and in PostgreSQL, in a schema that other tests leave alone."""
    folder = tmp_path_factory.mktemp("secrets")
    names = ("ann", "bob")
    users = [user(name, email=f"{SECRET}-{name}@kicks.example") for name in names]
    devices = [{"user_id": name, "token": f"{SECRET}-{name}", "platform": "ios"} for name in names]
    fill(postgres, put(folder, {"users": users, "devices": devices}), schema="secrets")
    return [DuckDBEngine(folder), PostgresEngine(postgres, schema="secrets")]


def found(engine: Engine, sql: str, path: Path) -> str:
    """Return what a query finds, or the error that it ends in."""
    try:
        with engine.run(job_of(read_criteria({"customQuery": sql})), {}, now=NOW) as run:
            run.write_audience("default", path)
    except AudienceJobError as error:
        return f"refused: {error}"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("sql", [*ASKS_FOR_ADDRESSES, *ASKS_FOR_TOKENS], ids=lambda sql: sql[:70])
def test_no_query_selects_filters_or_sorts_by_what_is_private(
    sql: str, engines: list[Engine], tmp_path: Path
) -> None:
    for engine in engines:
        answer = found(engine, sql, tmp_path / "out.csv")
        assert answer.startswith("refused: "), answer
        assert f"{SECRET}-bob" not in answer


@pytest.mark.parametrize("sql", COUNTS_COLUMNS, ids=lambda sql: sql[:70])
def test_a_star_over_users_has_no_addresses(sql: str, engines: list[Engine], tmp_path: Path) -> None:
    for engine in engines:
        answer = found(engine, sql, tmp_path / "out.csv")
        assert answer.startswith("user_id,x\n"), answer
        assert SECRET not in answer


@pytest.mark.parametrize("sql", READS_WHAT_IS_PUBLIC, ids=lambda sql: sql[:70])
def test_a_query_reads_what_is_public_as_before(sql: str, engines: list[Engine], tmp_path: Path) -> None:
    for engine in engines:
        lines = found(engine, sql.replace("AS a)", "AS a) AS b"), tmp_path / "out.csv").splitlines()
        if "SELECT * FROM (SELECT id AS user_id" in sql:
            assert lines[0].startswith("refused: customQuery: selects *")
            continue
        assert [lines[0], sorted(lines[1:])] == ["user_id,x", ["ann,@ann", "bob,@bob"]]


@pytest.mark.parametrize("sql", READS_WHAT_IS_PUBLIC[:-1], ids=lambda sql: sql[:70])
def test_what_bigquery_is_sent_names_nothing_private(sql: str) -> None:
    job = job_of(read_criteria({"customQuery": sql}))
    sent = read_query(job.sql, parameters=["now"]).sql("bigquery").lower()
    assert "email" not in sent
    assert "devices" not in sent
    assert "as users" not in sent.split("asked as")[0]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT id AS user_id, email AS x FROM users", "names email, and users.email is private: leave it out"),
        ("SELECT user_id FROM devices", "reads devices, which is private: only Tminus reads device tokens"),
        ("SELECT u.id AS user_id, CAST(u AS TEXT) AS x FROM users u", "reads u as a whole row: name its columns"),
        ("SELECT i AS user_id FROM users AS u(i)", "renames the columns of users in their order: name each with AS"),
        ("SELECT u.id AS user_id FROM users u NATURAL JOIN offers", "write them with ON"),
        ('WITH "a.b" AS (SELECT id FROM users) SELECT id AS user_id FROM "a.b"', "uses the name 'a.b': a name has"),
        ('SELECT "a`b".id AS user_id FROM users AS "a`b"', "uses the name 'a`b'"),
        ('SELECT id AS user_id, bio AS "x.y" FROM users', "uses the name 'x.y'"),
    ],
)
def test_the_refusal_says_what_is_private_and_what_to_write(sql: str, reason: str) -> None:
    with pytest.raises(BadCriteria) as refused:
        read_criteria({"customQuery": sql})
    assert reason in str(refused.value)


def test_an_export_needs_no_more_columns_than_a_query_reads(tmp_path: Path) -> None:
    put(tmp_path, {"offers": [{"id": "o", "creator_user_id": "ann", "created_at": NOW}]})
    (tmp_path / "users.csv").write_text("id,username,first_name,deleted_at\nann,@ann,Ann,0\n")
    sql = """SELECT u.id AS user_id, max(o.created_at) AS at
             FROM users u JOIN offers o ON o.creator_user_id = u.id GROUP BY u.id"""
    assert found(DuckDBEngine(tmp_path), sql, tmp_path / "out.csv").splitlines()[1] == "ann,2026-11-23T18:00:00Z"
