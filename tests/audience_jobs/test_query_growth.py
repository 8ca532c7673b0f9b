"""How long the texts of a query may become: those that would fill the memory are refused before any engine runs."""

import pytest

from audience_jobs.custom_query import read_custom_query
from audience_jobs.errors import RefusedQuery
from audience_jobs.workspace import marketplace

TABLES = marketplace().tables
LETTER, LONG = "'a'", "a" * 90


def replaced(times: int, text: str, by: str) -> str:
    return "replace(" * times + text + f", 'a', '{by}')" * times


def doubled(first: str, steps: int) -> str:
    later = "".join(f", t{n} AS (SELECT id, x || x AS x FROM t{n - 1})" for n in range(1, steps + 1))
    return f"WITH t0 AS ({first}){later} SELECT id AS user_id FROM t{steps} WHERE length(x) > 5"


TOO_LONG = {
    "replace of a literal": f"SELECT id AS user_id FROM users WHERE length({replaced(5, LETTER, LONG)}) > 0",
    "replace of a column": f"SELECT id AS user_id FROM users WHERE length({replaced(5, 'id', LONG)}) > 0",
    "replace by a column": """SELECT id AS user_id, replace(replace(replace(bio, 'a', bio), 'a', bio), 'a', bio) AS x
        FROM users""",
    "doubled in WITH": doubled("SELECT id, id || id AS x FROM users", 40),
    "a doubled literal": doubled("SELECT 'a' AS id, 'aaaaaaaaaa' AS x", 40),
    "a UNION": doubled("SELECT id, '' AS x FROM users UNION ALL SELECT id, id AS x FROM users", 40),
    "a subquery": f"""SELECT id AS user_id FROM users u
        WHERE (SELECT max({replaced(4, "v.id", LONG)}) FROM users v WHERE v.id = u.id) > 'a'""",
}
ALLOWED = {
    "cleaned": f"SELECT id AS user_id, {replaced(8, 'bio', '')} AS clean FROM users",
    "escaped": f"SELECT id AS user_id, {replaced(6, 'bio', 'aa')} AS escaped FROM users",
    "joined": f"SELECT id AS user_id, {' || '.join(['bio'] * 50)} AS x FROM users",
    "joined twice": doubled("SELECT id, id || id AS x FROM users", 4),
}


@pytest.mark.parametrize("case", TOO_LONG)
def test_a_query_that_makes_texts_without_end_is_refused(case: str) -> None:
    with pytest.raises(RefusedQuery, match="makes texts of more than 1,000,000 characters"):
        read_custom_query(TOO_LONG[case], TABLES)


@pytest.mark.parametrize("case", ALLOWED)
def test_texts_of_a_sensible_length_are_allowed(case: str) -> None:
    assert read_custom_query(ALLOWED[case], TABLES).sql
