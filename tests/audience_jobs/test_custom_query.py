"""What a recipe's own query, and every value beside it, can make the user database do: nothing but be read."""

from pathlib import Path

import pytest

from audience_jobs.errors import BadCriteria
from tests.audience_jobs.marketplace import DuckDBEngine, PostgresEngine, job_of, read_criteria
from tests.audience_jobs.postgres import fill
from tests.audience_jobs.test_query import HANGS_ON_WHO_ASKS, ODD, OTHER_TABLES, PLACES, REACHES_OUT, STACKED, WRITES
from tests.audience_jobs.worlds import NOW, put, user

BREAKS_OUT = [
    # Out of the WITH query that it is put into
    "SELECT id AS user_id FROM users), extra AS (SELECT 1 AS x",
    "SELECT id AS user_id FROM users) SELECT 'default' AS audience, id AS user_id FROM users --",
    "SELECT id AS user_id FROM users) --",
    "SELECT id AS user_id FROM users /*",
    # Into what Tminus puts around it
    "SELECT user_id FROM chosen",
    "SELECT user_id FROM frozen",
    "SELECT user_id FROM asked",
    "SELECT $user_ids AS user_id",
    "SELECT id AS user_id FROM job_rows",
    # Out of the tables that it may read
    "SELECT rolname AS user_id FROM pg_authid",
    "SELECT table_name AS user_id FROM information_schema.tables",
    "SELECT id AS user_id FROM pg_temp.users",
    "SELECT id AS user_id FROM `other.dataset.users`",
    "SELECT id AS user_id FROM secrets.users",
    "SELECT id AS user_id FROM users, LATERAL (SELECT pg_sleep(9)) AS x",
    "SELECT pg_read_file('/etc/passwd') AS user_id",
    "SELECT content AS user_id FROM read_text('/etc/passwd')",
    "SELECT id AS user_id FROM users WHERE id = (SELECT pg_sleep(9))::text",
    "SELECT id AS user_id FROM 'users.csv'",
    "COPY (SELECT id FROM users) TO '/tmp/stolen'",
    # Letters that look like others, or like nothing
    "SELECT id AS user_id FROM users\uff1b DROP TABLE users",
    "SELECT pg\u200b_sleep(9) AS user_id",
    "SELECT p\u0261_sleep(9) AS user_id",
    "\uff33ELECT id AS user_id FROM users",
    "SELECT id AS user_id FROM users WHERE id = \u2019x\u2019",
    "SELECT U&'\\0070g' AS user_id",
]
LEAVES_OPEN = [
    ("SELECT id FROM users", "yields no column user_id: name the column of the users' ids so, as in id AS user_id"),
    ("SELECT * FROM users", "selects *: name the columns"),
    ("SELECT u.* FROM users u", "selects *: name the columns"),
    ("SELECT id AS user_id, count(*) FROM users GROUP BY id", "without a name: add AS and a name"),
    ("SELECT id AS user_id, shoe FROM users", "cannot be understood: Column 'shoe' could not be resolved"),
    ('SELECT id AS user_id, bio AS a, bio AS "A" FROM users', "yields the column a twice"),
    ("SELECT id AS user_id, bio AS audience FROM users", "yields a column audience, which Tminus reserves"),
    ('SELECT id AS user_id, bio AS "what\'s up" FROM users', 'uses the name "what\'s up": a name has up to'),
    ("SELECT id AS user_id, avg(deleted_at) AS a FROM users GROUP BY id", "CAST(floor(a) AS BIGINT)"),
    (
        "SELECT id AS user_id, NULL AS a FROM users",
        "does not show the type of a: cast it, as in CAST(... AS TEXT)",
    ),
    ("SELECT id AS user_id, top_target_shoe_name FROM users", "could not be resolved"),
]
HOSTILE = [
    "'; DROP TABLE users; --",
    "x') OR true --",
    "' UNION SELECT token FROM devices --",
    "\\'; SELECT pg_sleep(9); --",
    "$$; DROP TABLE users; $$",
    "$user_ids",
    "%s%(x)s{}",
    "\uff07 OR 1=1 --",
]


@pytest.mark.parametrize(
    "sql",
    [*STACKED, *WRITES, *REACHES_OUT, *OTHER_TABLES, *HANGS_ON_WHO_ASKS, *PLACES, *ODD, *BREAKS_OUT],
    ids=lambda sql: ascii(sql[:60]),
)
def test_a_query_that_may_do_more_than_read_is_refused_at_its_field(sql: str) -> None:
    if not sql.strip():
        return  # asks for nothing
    with pytest.raises(BadCriteria) as refused:
        read_criteria({"customQuery": sql})
    assert [field for field, _ in refused.value.errors] == ["customQuery"]


@pytest.mark.parametrize(("sql", "reason"), LEAVES_OPEN, ids=lambda text: text[:60])
def test_a_query_has_to_say_what_it_yields(sql: str, reason: str) -> None:
    with pytest.raises(BadCriteria) as refused:
        read_criteria({"customQuery": sql})
    [(field, why)] = refused.value.errors
    assert field == "customQuery"
    assert reason in why


def test_a_query_cannot_yield_the_column_of_a_pack() -> None:
    sql = "SELECT id AS user_id, bio AS top_target_shoe_name FROM users"
    with pytest.raises(BadCriteria, match="yields the column top_target_shoe_name, as data pack topTargetShoe does"):
        read_criteria({"customQuery": sql, "dataPacks": ["topTargetShoe"]})


def test_columns_have_the_types_that_the_query_gives_them() -> None:
    sql = """WITH seen AS (SELECT user_id, max(last_active) AS at FROM user_activities GROUP BY user_id)
        SELECT u.id AS user_id, upper(u.first_name) AS "firstName", s.at AS "lastActive", count(*) AS wishes,
            u.is_trusted_trader AS trusted, CAST(u.created_at AS DATE) AS day, $now AS dropped
        FROM users u JOIN seen s ON s.user_id = u.id JOIN wishlist_items w ON w.user_id = u.id
        WHERE u.created_at < $now AND u.bio <> ''
        GROUP BY u.id, u.first_name, s.at, u.is_trusted_trader, u.created_at -- a comment"""
    (audience,) = job_of(read_criteria({"customQuery": sql.replace(", $now AS dropped", "")})).audiences
    assert [(column.name, column.type) for column in audience.columns] == [
        ("user_id", "text"),
        ("firstName", "text"),
        ("lastActive", "timestamp"),
        ("wishes", "integer"),
        ("trusted", "text"),
        ("day", "text"),
    ]


@pytest.fixture
def world(postgres: str, tmp_path: Path) -> tuple[str, Path]:
    """Two users, one of them frozen, in files and in PostgreSQL."""
    frozen = [{"user_id": "bob", "freeze_reason": "fraud"}]
    folder = put(tmp_path, {"users": [user("ann"), user("bob")], "user_admin_informations": frozen})
    fill(postgres, folder)
    return postgres, folder


def test_no_id_does_anything_but_find_no_user(world: tuple[str, Path]) -> None:
    url, folder = world
    for engine in (DuckDBEngine(folder), PostgresEngine(url)):
        for ids in ([*HOSTILE, "ann"], HOSTILE):
            with engine.run(job_of(read_criteria({"manualUserIds": ids})), {}, now=NOW) as run:
                assert run.write_audience("default", folder / "out.csv") == ("ann" in ids)


def test_a_query_finds_no_frozen_user_and_its_texts_stay_texts(world: tuple[str, Path]) -> None:
    url, folder = world
    values = [text.replace("'", "''") for text in HOSTILE]
    said = ", ".join(f"'{value}' AS v{n}" for n, value in enumerate(values))
    sql = f"SELECT users.id AS user_id, CAST('x' AS TEXT) || 'y; --' AS xy, {said} FROM users; -- )"
    files = []
    for engine in (DuckDBEngine(folder), PostgresEngine(url)):
        with engine.run(job_of(read_criteria({"customQuery": sql})), {}, now=NOW) as run:
            run.write_audience("default", folder / "out.csv")
        files.append((folder / "out.csv").read_text())
    assert files[0] == files[1]
    assert files[0].splitlines()[1].startswith("ann,xy; --,'; DROP TABLE users; --,")
    assert "bob" not in files[0]


@pytest.mark.parametrize("times", [400, 1_500, 20_000])
@pytest.mark.parametrize(
    ("before", "middle", "after"),
    [
        pytest.param(" AND ", "bio = 'a'", "", id="ands"),
        pytest.param("(", "bio = 'a'", ")", id="parentheses"),
        pytest.param("NOT ", "bio = 'a'", "", id="nots"),
        pytest.param("CASE WHEN bio = 'a' THEN true ELSE ", "false", " END", id="cases"),
        pytest.param("lower(", "bio", ") = 'a'", id="functions"),
        pytest.param("id IN (SELECT id FROM users WHERE ", "bio = 'a'", ")", id="subqueries"),
    ],
)
def test_a_query_that_is_nested_too_deeply_is_refused_and_nothing_else_happens(
    before: str, middle: str, after: str, times: int
) -> None:
    chain = before.strip() == "AND"
    where = before.join([middle] * times) if chain else before * times + middle + after * times
    sql = f"SELECT id AS user_id FROM users WHERE {where}"
    if chain and times < 500:
        assert read_criteria({"customQuery": sql}).custom_query is not None
        return
    with pytest.raises(BadCriteria, match=r"nested|longer than"):
        read_criteria({"customQuery": sql})
