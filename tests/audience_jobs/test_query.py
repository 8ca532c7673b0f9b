"""What a query may be, and what is refused before any engine sees it."""

import pytest

from audience_jobs.contract import Job
from audience_jobs.errors import RefusedQuery
from tests.audience_jobs.marketplace import all_jobs, read_query

STACKED = [
    "SELECT 1; DROP TABLE users",
    "SELECT id FROM users; ; SELECT 1",
    "SELECT 1 /* ; */; /* */ DELETE FROM users",
    "",
    "-- nothing",
]
WRITES = [
    "DROP TABLE users",
    "DELETE FROM users",
    "UPDATE users SET deleted_at = 0",
    "INSERT INTO users SELECT * FROM users",
    "MERGE INTO users USING offers ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE users",
    "ALTER TABLE users ADD COLUMN x TEXT",
    "CREATE TABLE t AS SELECT 1",
    "GRANT ALL ON users TO public",
    "WITH gone AS (DELETE FROM users RETURNING *) SELECT * FROM gone",
    "WITH x AS (INSERT INTO users SELECT 1 RETURNING id) SELECT id FROM x",
    "SELECT * INTO copied FROM users",
    "SELECT * FROM users FOR UPDATE",
    "VACUUM",
    "DO $$ BEGIN END $$",
    "CALL f()",
    "EXECUTE prepared",
    "EXPLAIN ANALYZE SELECT 1",
    "SET statement_timeout = 0",
    "BEGIN",
    "LISTEN x",
]
REACHES_OUT = [
    "SELECT pg_sleep(10)",
    "SELECT PG_SLEEP(10)",
    'SELECT "pg_sleep"(10)',
    "SELECT pg_catalog.pg_sleep(10)",
    "SELECT (SELECT pg_sleep(1))",
    "SELECT id FROM users LIMIT (SELECT pg_sleep(5))",
    "SELECT id FROM users ORDER BY pg_sleep(1)",
    "SELECT count(*) OVER w FROM users WINDOW w AS (PARTITION BY pg_sleep(1))",
    "SELECT CASE WHEN pg_sleep(1) IS NULL THEN 1 END",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('x')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT * FROM dblink('host=x', 'SELECT 1') AS t(a TEXT)",
    "SELECT query_to_xml('SELECT pg_sleep(1)', true, true, '')",
    "SELECT set_config('x', 'y', false)",
    "SELECT current_setting('data_directory')",
    "SELECT nextval('s')",
    "SELECT pg_terminate_backend(1)",
    "SELECT version()",
    "COPY users TO '/tmp/x'",
    "COPY users TO PROGRAM 'sh'",
    "COPY (SELECT 1) TO STDOUT",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_parquet('s3://bucket/x')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('*')",
    "SELECT getenv('HOME')",
    "SELECT * FROM duckdb_settings()",
    "INSTALL httpfs",
    "LOAD httpfs",
    "ATTACH 'other.db'",
    "PRAGMA database_list",
    "SELECT * FROM EXTERNAL_QUERY('connection', 'SELECT 1')",
    "SELECT * FROM ML.PREDICT(MODEL m, TABLE users)",
]
OTHER_TABLES = [
    "SELECT * FROM pg_shadow",
    "SELECT * FROM pg_catalog.pg_shadow",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM public.users",
    "SELECT * FROM other.users",
    "SELECT * FROM other.public.users",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd.csv"',
    "SELECT * FROM `other-project.dataset.users`",
    'SELECT * FROM "Users"',
    "SELECT id FROM users WHERE id IN (SELECT usename FROM pg_user)",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM secrets)",
    "SELECT id FROM users UNION ALL SELECT usename FROM pg_user",
    "SELECT users.id, pg_catalog.pg_user.usename FROM users",
    # A WITH name counts only where it can be seen.
    "SELECT * FROM (WITH pg_user AS (SELECT 1 AS a) SELECT * FROM pg_user) AS x, pg_user",
    "WITH pg_user AS (SELECT * FROM pg_user) SELECT * FROM pg_user",
    "WITH a AS (SELECT * FROM pg_user), pg_user AS (SELECT 1) SELECT * FROM a",
    'WITH "PG_USER" AS (SELECT 1 AS a) SELECT * FROM PG_USER',
    "WITH users AS (SELECT 1 AS id) SELECT * FROM users",
]
HANGS_ON_WHO_ASKS = [
    "SELECT now()",
    "SELECT current_timestamp",
    "SELECT CURRENT_DATE",
    "SELECT localtimestamp",
    "SELECT clock_timestamp()",
    "SELECT current_user",
    "SELECT user",
    "SELECT session_user",
    "SELECT random()",
    "SELECT gen_random_uuid()",
    "SELECT * FROM users TABLESAMPLE SYSTEM (1)",
]
PLACES = [
    "SELECT $other",
    "SELECT $1",
    "SELECT ?",
    "SELECT %s",
    "SELECT %(now)s",
    "SELECT :now",
    "SELECT {{ now }}",
]
ODD = [
    "SELECT",
    "SELECT FROM WHERE",
    "SELECT E'a\\'; DROP TABLE users; --'",
    "SELECT $$a$$",
    "SELECT U&'\\0061'",
    "SELECT 'users'::regclass",
    "SELECT CAST('1' AS oid)",
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n FROM t) SELECT n FROM t",
    "SELECT 'a\0b'",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT '" + "x" * 300_000 + "'",
    "SELECT 'no end",
]


@pytest.mark.parametrize(
    "sql",
    [*STACKED, *WRITES, *REACHES_OUT, *OTHER_TABLES, *HANGS_ON_WHO_ASKS, *PLACES, *ODD],
    ids=lambda sql: sql[:60],
)
def test_anything_but_one_select_over_the_source_tables_is_refused(sql: str) -> None:
    with pytest.raises(RefusedQuery):
        read_query(sql, parameters=["now"])


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 1; SELECT 2", "is 2 statements: write one SELECT"),
        ("DROP TABLE users", "is not a SELECT but DROP: write one SELECT, which only reads"),
        ("WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x", "contains a statement of DELETE"),
        ("SELECT pg_sleep(1)", r"calls pg_sleep\(\), which is not allowed; allowed functions: abs, avg"),
        ("SELECT now()", r"asks for the time: read it as \$now"),
        ("SELECT * FROM other.users", r"reads other\.users: name the table alone, without schema or database"),
        (
            "SELECT * FROM secrets",
            "reads 'secrets', which is not a table this query can read; those are attribute",
        ),
        ("SELECT $other", r"reads \$other, which is not one of its parameters; known: \$now"),
        ("SELECT %s", r"write parameters as \$name"),
        ("SELECT 'users'::regclass", "not every engine has"),
        ("SELECT FROM WHERE", "cannot be read as PostgreSQL: .* in line 1: write one SELECT in PostgreSQL's SQL"),
        ("SELECT string_agg(bio, ',') FROM users", r"calls string_agg\(\), which is not allowed"),
        ("SELECT to_char(created_at, 'YYYY') FROM users", r"calls to_char\(\), which is not allowed"),
        ("SELECT Date_Part('day', created_at) FROM users", r"calls date_part\(\), which is not allowed"),
        ("SELECT position('a' in bio) FROM users", r"calls position\(\), which is not allowed"),
        ("SELECT bool_or(true) FROM users", r"calls bool_or\(\), which is not allowed"),
        ("SELECT bio ~* 'x' FROM users", r"uses bio ~\* 'x', which not every engine has"),
        ("SELECT bio SIMILAR TO 'x' FROM users", "uses bio SIMILAR TO 'x', which not every engine has"),
        ("SELECT 2 ^ 3", r"uses 2 \^ 3, which not every engine has"),
        ("SELECT created_at AT TIME ZONE 'UTC' FROM users", "uses created_at AT TIME ZONE 'UTC', which not every"),
        ("SELECT v.index_cache -> 'a' FROM product_variants v", "uses v.index_cache -> 'a', which not every engine"),
        ("SELECT JSON_VALUE(v.index_cache, '$.a') AS a FROM product_variants v", "of JSON as text, by ->> 'name'"),
    ],
)
def test_the_reason_says_what_to_write_instead(sql: str, reason: str) -> None:
    with pytest.raises(RefusedQuery, match=f"the query .*{reason}"):
        read_query(sql, parameters=["now"])


def test_what_runs_is_generated_without_comments() -> None:
    query = read_query("SELECT id /* ; DROP */ FROM Users -- ; DROP TABLE users\n;", parameters=[])
    assert query.sql("duckdb") == "SELECT id FROM Users"
    assert query.tables == {"users"}


def test_quotes_inside_of_texts_and_around_names_stay_where_they_are() -> None:
    sql = """SELECT 'it''s; -- $now' AS "aB" FROM users"""
    assert read_query(sql, parameters=[]).sql("postgres") == sql
    assert read_query(sql, parameters=[]).sql("duckdb") == sql


def test_parameters_are_numbered_in_the_order_of_the_text() -> None:
    query = read_query("SELECT $b, $a FROM users WHERE id = $b AND username = '$a'", parameters=["a", "b"])
    assert query.parameters == ("b", "a")
    assert query.numbered() == "SELECT $1, $2 FROM users WHERE id = $1 AND username = '$a'"
    assert query.sql("duckdb") == "SELECT $b, $a FROM users WHERE id = $b AND username = '$a'"


def test_each_engine_gets_a_query_in_its_own_dialect() -> None:
    query = read_query("SELECT id FROM users WHERE bio ~ 'x' ORDER BY created_at DESC", parameters=[])
    assert "bio ~ 'x'" in query.sql("postgres")
    assert "REGEXP_MATCHES(bio, 'x')" in query.sql("duckdb")
    assert query.sql("duckdb").endswith("created_at DESC NULLS FIRST"), "NULL is the largest in PostgreSQL"


@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.id)
def test_every_job_is_one_select_that_can_be_translated_for_both_engines(job: Job) -> None:
    known = ["now", *(parameter.name for parameter in job.parameters)]
    query = read_query(job.sql, parameters=known)
    assert query.sql("duckdb")
    assert query.sql("postgres")
    assert query.tables
