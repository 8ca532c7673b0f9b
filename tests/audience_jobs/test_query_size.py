"""What a query may make: no cross joins of many tables, no endless series; each is refused before any engine runs."""

import pytest

from audience_jobs.custom_query import read_custom_query
from audience_jobs.errors import RefusedQuery
from audience_jobs.workspace import marketplace

TABLES = marketplace().tables
SERIES = "SELECT CAST(i AS TEXT) AS user_id FROM generate_series"
CROSSED = {
    "commas": "SELECT a.id AS user_id FROM users a, users b, users c, users d",
    "three": "SELECT a.id AS user_id FROM users a, users b, users c",
    "CROSS JOIN": "SELECT a.id AS user_id FROM users a CROSS JOIN users b CROSS JOIN users c CROSS JOIN users d",
    "ON true": "SELECT a.id AS user_id FROM users a JOIN users b ON true JOIN users c ON 1 = 1 JOIN users d ON true",
    "OR true": "SELECT a.id AS user_id FROM users a JOIN users b ON b.id = a.id OR true JOIN users c ON c.id <> a.id",
    "itself": "SELECT a.id AS user_id FROM users a, users b, users c WHERE a.id = a.id AND b.id = b.id",
    "parentheses": "SELECT a.id AS user_id FROM (users a CROSS JOIN users b) CROSS JOIN (users c CROSS JOIN users d)",
    "WITH": """WITH x AS (SELECT a.id FROM users a, users b), y AS (SELECT p.id FROM x p, x q)
        SELECT id AS user_id FROM y""",
    "subqueries": """SELECT x.id AS user_id FROM (SELECT a.id FROM users a, users b) AS x,
        (SELECT c.id FROM users c, users d) AS y""",
    "EXISTS": "SELECT id AS user_id FROM users WHERE EXISTS (SELECT 1 FROM users a, users b, users c, users d)",
    "UNION": "SELECT id AS user_id FROM users UNION SELECT a.id FROM users a, users b, users c, users d",
    "GROUP BY": "SELECT a.id AS user_id, count(*) AS n FROM users a, users b, users c GROUP BY a.id",
    "series": f"""{SERIES}(1, 9999) AS a(i), generate_series(1, 9999) AS b(j), generate_series(1, 9999) AS c(k)""",
}
ENDLESS = {
    "1e11 in figures": f"{SERIES}(1, 100000000000) AS t(i)",
    "1e11": f"{SERIES}(1, 1e11) AS t(i)",
    "a product": f"{SERIES}(1, 100000 * 1000000) AS t(i)",
    "backwards": f"{SERIES}(10000000, 1, -1) AS t(i)",
    "a column": "SELECT CAST(i AS TEXT) AS user_id FROM users, generate_series(1, users.deleted_at) AS t(i)",
    "no step": f"{SERIES}(1, 9, 0) AS t(i)",
    "selected": "SELECT CAST(generate_series(1, 100000000) AS TEXT) AS user_id",
}
ALLOWED = {
    "a cross join of two": "SELECT a.id AS user_id FROM users a, users b WHERE a.bio < b.bio",
    "equal in WHERE": """SELECT u.id AS user_id FROM users u, wishlist_items w, user_activities a
        WHERE w.user_id = u.id AND (a.user_id = u.id AND true)""",
    "equal in ON": """SELECT u.id AS user_id FROM users u JOIN wishlist_items w ON w.user_id = u.id
        JOIN user_activities a ON a.user_id = w.user_id""",
    "USING": """SELECT w.user_id FROM wishlist_items w JOIN user_activities a USING (user_id)
        JOIN user_preferences p USING (user_id)""",
    "one row": """WITH m AS (SELECT max(created_at) AS at FROM users), n AS (SELECT count(*) AS n FROM users)
        SELECT u.id AS user_id FROM users u, m, n WHERE u.created_at = m.at""",
    "a short series": f"{SERIES}(1, 10000) AS t(i)",
    "lists": """SELECT t.x AS user_id FROM users u, unnest(string_to_array(CAST(u.bio AS TEXT), ',')) AS s(y),
        (SELECT CAST(id AS TEXT) AS x FROM users) AS t WHERE t.x = u.id""",
}


@pytest.mark.parametrize("case", CROSSED)
def test_a_query_that_multiplies_many_tables_is_refused(case: str) -> None:
    with pytest.raises(RefusedQuery, match=r"multiplies [34] tables, at most 2 are allowed: join them by columns"):
        read_custom_query(CROSSED[case], TABLES)


@pytest.mark.parametrize("case", ENDLESS)
def test_a_series_without_a_short_end_is_refused(case: str) -> None:
    with pytest.raises(RefusedQuery, match=r"generate_series\(\)"):
        read_custom_query(ENDLESS[case], TABLES)


@pytest.mark.parametrize("case", ALLOWED)
def test_what_audiences_are_made_of_is_allowed(case: str) -> None:
    assert read_custom_query(ALLOWED[case], TABLES).sql


@pytest.mark.parametrize("name", ["a.b", "other.dataset.users", "a-b", "a b", "9a", "a`b", "a\u00e9", "", "a" * 64])
@pytest.mark.parametrize(
    "sql",
    [
        'WITH "{}" AS (SELECT id FROM users) SELECT id AS user_id FROM "{}"',
        'SELECT "{}".id AS user_id FROM users AS "{}"',
        'SELECT id AS user_id, bio AS "{}" FROM users -- {}',
        "SELECT CAST(\"{}\".x AS TEXT) AS user_id FROM unnest(string_to_array('a', ',')) AS \"{}\"(x)",
        'SELECT x.id AS user_id FROM (SELECT id FROM users) AS x JOIN users AS "{}" ON "{}".id = x.id',
    ],
)
def test_a_name_that_an_engine_could_read_as_a_path_is_refused(sql: str, name: str) -> None:
    with pytest.raises(RefusedQuery, match=r"uses the name|cannot be read"):
        read_custom_query(sql.format(name, name), TABLES)
