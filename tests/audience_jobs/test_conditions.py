"""Conditions: what is read, what is refused, their sentences, and the users they find on DuckDB and PostgreSQL."""

import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from audience_jobs.conditions.operators import OPERATORS
from audience_jobs.conditions.reading import read_condition
from audience_jobs.conditions.sentences import sentence
from audience_jobs.conditions.sql import compiled
from audience_jobs.conditions.tree import Traits
from audience_jobs.errors import BadCriteria
from audience_jobs.query import read_query
from audience_jobs.schema import Tables
from tests.audience_jobs.conditions_reference import fits
from tests.examples import examples

NOW = datetime(2028, 2, 28, 18, 30)
TRAITS = Traits(
    people={
        "country": "text",
        "ref": "id",
        "age": "integer",
        "score": "number",
        "pro": "boolean",
        "joined": "timestamp",
        "born": "date",
        "order": "text",
        "tags": "text[]",
        "data": "json",  # type: ignore[dict-item]  # no condition reads it
    },
    events={
        "workouts": {"at": "timestamp", "kind": "text", "minutes": "integer"},
        "orders": {"at": "timestamp", "total": "number"},
    },
)
TEXTS = ("", "DE", "de", "D", "%", "_", "\\", "a'b", "Zoë 👟", "$now", 'say "hi"', "DE\nAT")
INSTANTS = (NOW, NOW + timedelta(days=1), NOW - timedelta(days=30), NOW - timedelta(days=30, microseconds=1))
MORE_INSTANTS = (*INSTANTS, datetime(2024, 2, 29, 1, 2, 3), datetime(2000, 2, 28), datetime(1999, 3, 1))
_POOLS: Mapping[str, tuple[Any, ...]] = {
    "text": TEXTS,
    "id": TEXTS,
    "integer": (0, -1, 7, 18, 2**53),
    "number": (0.0, 0.5, -2.25, 18.0, 1e9),
    "boolean": (True, False),
    "timestamp": MORE_INSTANTS,
    "date": tuple(each.date() for each in MORE_INSTANTS),
    "text[]": (["DE"], ["DE", "de", "%"], ["a'b", "DE\nAT", "D"]),
}
_COLUMNS = [name for name, type_ in TRAITS.people.items() if type_ in _POOLS]


def _world() -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    chance = random.Random(7)

    def some(type_: str) -> Any:
        return chance.choice((*_POOLS[type_], None))

    people = [
        {"user_id": f"u{number}", **{name: some(TRAITS.people[name]) for name in _COLUMNS}} for number in range(300)
    ]
    events = {
        model: [
            {
                "user_id": chance.choice([*(person["user_id"] for person in people[:120]), None]),
                **{name: some(type_) for name, type_ in columns.items()},
            }
            for _ in range(900)
        ]
        for model, columns in TRAITS.events.items()
    }
    return people, events


PEOPLE, EVENTS = _world()
OF_PERSON = {
    person["user_id"]: {
        model: [row for row in rows if row["user_id"] == person["user_id"]] for model, rows in EVENTS.items()
    }
    for person in PEOPLE
}


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _compared(columns: Mapping[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    choices = [(name, op) for name, type_ in columns.items() for op in OPERATORS.get(type_, {})]  # type: ignore[call-overload]
    return st.sampled_from(choices).flatmap(lambda choice: _with_value(columns, *choice))


def _with_value(columns: Mapping[str, str], name: str, op: str) -> st.SearchStrategy[dict[str, Any]]:
    base: dict[str, Any] = {"column": name, "op": op}
    takes = OPERATORS[columns[name]][op]  # type: ignore[index]
    pool = _POOLS["text" if columns[name] == "text[]" else columns[name]]
    value = st.sampled_from([each for each in pool if each != ""])
    if takes == "nothing":
        return st.just(base)
    if takes in ("days", "days ahead"):
        return st.sampled_from((1, 29, 30, 31, 300)).map(lambda days: {**base, "value": days})
    if takes == "one":
        return value.map(lambda each: {**base, "value": _written(each)})
    if takes == "two":
        pairs = st.tuples(value, value).map(sorted)
        return pairs.map(lambda pair: {**base, "value": [_written(each) for each in pair]})
    lists = st.lists(value, min_size=1, max_size=8)
    return lists.map(lambda several: {**base, "value": [_written(each) for each in several]})


def _trees(leaves: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda each: {"all": each}),
            st.lists(inner, min_size=1, max_size=3).map(lambda each: {"any": each}),
            inner.map(lambda each: {"not": each}),
        ),
        max_leaves=5,
    )


@st.composite
def _events(draw: st.DrawFn) -> dict[str, Any]:
    model = draw(st.sampled_from(sorted(TRAITS.events)))
    kind = draw(st.sampled_from(("did", "did_not")))
    written: dict[str, Any] = {kind: model}
    if draw(st.booleans()):
        written["within_days"] = draw(st.sampled_from((1, 30, 3_000)))
    if draw(st.booleans()):
        written["where"] = draw(_trees(_compared(TRAITS.events[model])))
    if kind == "did" and draw(st.booleans()):
        least, most = sorted(draw(st.tuples(st.integers(0, 9), st.integers(0, 9))))
        wanted = draw(st.sampled_from((("at_least",), ("at_most",), ("at_least", "at_most"))))
        written["times"] = {name: {"at_least": least, "at_most": most}[name] for name in wanted}
    return written


CONDITIONS = _trees(st.one_of(_compared(TRAITS.people), _events()))
_TYPES = {
    "text": "text",
    "id": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "timestamp": "timestamp",
    "date": "date",
    "text[]": "text[]",
}
_TABLES = {"people": {name: TRAITS.people[name] for name in _COLUMNS}, **TRAITS.events}


def _creations() -> Iterator[tuple[str, str, list[list[Any]]]]:
    for table, columns in _TABLES.items():
        rows = PEOPLE if table == "people" else EVENTS[table]
        declared = ", ".join(f'"{name}" {_TYPES[type_]}' for name, type_ in columns.items())
        marks = ", ".join(["{0}"] * (1 + len(columns)))
        values = [[row["user_id"], *(row[name] for name in columns)] for row in rows]
        yield (
            f"CREATE TEMP TABLE {table} (user_id text, {declared})",
            f"INSERT INTO {table} VALUES ({marks})",
            values,
        )


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for create, insert, values in _creations():
            connection.execute(create)
            connection.executemany(insert.format("?"), values)
        yield connection


@pytest.fixture(scope="module")
def server(postgres: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        for create, insert, values in _creations():
            connection.execute(create)
            with connection.cursor() as cursor:
                cursor.executemany(insert.format("%s"), values)
        yield connection


def _query(written: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    found = compiled(read_condition(written, TRAITS))
    parameters = {"now": NOW.isoformat(sep=" "), **found.values}
    sql = f"SELECT p.user_id FROM people p WHERE {found.sql}"
    return read_query(sql, parameters=list(parameters), tables=Tables([]), more=list(_TABLES)), parameters


def _expected(written: Mapping[str, Any]) -> list[str]:
    return sorted(p["user_id"] for p in PEOPLE if fits(written, p, OF_PERSON[p["user_id"]], NOW))


@pytest.mark.long
@examples(250, few=40, suppress_health_check=[HealthCheck.too_slow])
@given(written=CONDITIONS)
def test_duckdb_finds_the_users_of_the_reference(written: dict[str, Any], duck: duckdb.DuckDBPyConnection) -> None:
    query, parameters = _query(written)
    bound = {name: parameters[name] for name in query.parameters}
    found = duck.execute(query.sql("duckdb"), bound or None).fetchall()
    assert sorted(row[0] for row in found) == _expected(written)


@examples(250, few=40, suppress_health_check=[HealthCheck.too_slow])
@given(written=CONDITIONS)
def test_postgres_finds_the_users_of_the_reference(written: dict[str, Any], server: psycopg.Connection[Any]) -> None:
    query, parameters = _query(written)
    with psycopg.RawCursor(server) as cursor:
        cursor.execute(query.numbered(), [parameters[name] for name in query.parameters])
        assert sorted(row[0] for row in cursor.fetchall()) == _expected(written)


@given(written=CONDITIONS)
def test_every_condition_can_be_said(written: dict[str, Any]) -> None:
    said = sentence(read_condition(written, TRAITS))
    assert said == "all users" or said.startswith("users ")
    assert said == said.strip()


IN_GERMANY = {"column": "country", "op": "one_of", "value": ["DE", "AT"]}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"all": []}, "all users"),
        (IN_GERMANY, 'users whose country is "DE" or "AT"'),
        (
            {"all": [{"column": "joined", "op": "within_days", "value": 30}, IN_GERMANY]},
            'users whose joined is within the last 30 days and whose country is "DE" or "AT"',
        ),
        (
            {"any": [{"not": IN_GERMANY}, {"all": [{"column": "pro", "op": "is", "value": True}, IN_GERMANY]}]},
            'users not (whose country is "DE" or "AT") or (whose pro is true and whose country is "DE" or "AT")',
        ),
        ({"did": "workouts"}, "users who have workouts"),
        ({"did_not": "orders", "within_days": 1}, "users who have no orders in the last day"),
        (
            {
                "did": "workouts",
                "times": {"at_least": 3},
                "within_days": 14,
                "where": {"column": "minutes", "op": "at_least", "value": 30},
            },
            "users who have at least 3 workouts with minutes is at least 30 in the last 14 days",
        ),
        ({"column": "born", "op": "anniversary_in_days", "value": 0}, "users whose born has its anniversary today"),
        ({"column": "score", "op": "between", "value": [1, 2.5]}, "users whose score is from 1 to 2.5"),
        ({"column": "ref", "op": "empty"}, "users whose ref is empty"),
    ],
)
def test_a_condition_is_said_in_words(written: dict[str, Any], said: str) -> None:
    assert sentence(read_condition(written, TRAITS)) == said


def _deep(levels: int) -> dict[str, Any]:
    written: dict[str, Any] = {"all": []}
    for _ in range(levels):
        written = {"not": written}
    return written


@pytest.mark.parametrize(
    ("written", "place", "reason"),
    [
        (7, "where", "must be a condition, an object, got 7"),
        ({}, "where", "is {}: a condition has exactly one of the keys all, any, not, column, did, did_not"),
        ({"all": [], "any": []}, "where", "has all and any: a condition has exactly one"),
        ({"any": []}, "where.any", "is empty, so that no user fits"),
        ({"all": 7}, "where.all", "must be a list of conditions"),
        ({"all": [{"not": 7}]}, "where.all[0].not", "must be a condition"),
        ({"column": "contry", "op": "is"}, "where.column", "is not a column of people; did you mean 'country'?"),
        ({"column": "country"}, "where.op", "is missing"),
        (
            {"column": "age", "op": "starts_with", "value": "1"},
            "where.op",
            "is not an operator of age, which is integer",
        ),
        ({"column": "data", "op": "is", "value": "1"}, "where.op", "is not possible: data is json"),
        ({"column": "country", "op": "is"}, "where.value", "is missing: is needs one"),
        ({"column": "country", "op": "empty", "value": 1}, "where.value", "is too much: empty compares with nothing"),
        ({"column": "country", "op": "is", "value": ""}, "where.value", "must be a text that is not empty"),
        ({"column": "country", "op": "is", "value": "a\0"}, "where.value", "must be a Unicode text"),
        ({"column": "country", "op": "is", "value": "\ud800"}, "where.value", "must be a Unicode text"),
        ({"column": "country", "op": "one_of", "value": []}, "where.value", "must be a list of 1 to 1,000 values"),
        ({"column": "age", "op": "is", "value": True}, "where.value", "must be a whole number"),
        ({"column": "age", "op": "is", "value": 2**63}, "where.value", "must be a whole number"),
        ({"column": "age", "op": "between", "value": [3, 1]}, "where.value", "begins with 3, above 1: swap them"),
        ({"column": "score", "op": "is", "value": float("nan")}, "where.value", "must be a number"),
        ({"column": "score", "op": "is", "value": 10**400}, "where.value", "must be a number"),
        ({"column": "pro", "op": "is", "value": "yes"}, "where.value", "must be true or false"),
        ({"column": "born", "op": "before", "value": "2024-02-30"}, "where.value", "must be a date YYYY-MM-DD"),
        ({"column": "joined", "op": "before", "value": "soon"}, "where.value", "must be a date YYYY-MM-DD or an ISO"),
        ({"column": "joined", "op": "within_days", "value": 0}, "where.value", "must be a whole number of days"),
        ({"column": "born", "op": "anniversary_in_days", "value": 366}, "where.value", "from 0 (today) to 365"),
        ({"column": "country", "op": "is", "value": "DE", "vlaue": 1}, "where.vlaue", "is unknown beside column"),
        ({"did": "workout"}, "where.did", "is not a model of events; did you mean 'workouts'?"),
        ({"did": "workouts", "times": {}}, "where.times", "must have at_least, at_most or both"),
        ({"did": "workouts", "times": {"at_least": 3, "at_most": 2}}, "where.times", "so that no user fits"),
        ({"did": "workouts", "times": {"at_least": -1}}, "where.times.at_least", "must be a whole number from 0"),
        ({"did": "workouts", "within_days": None}, "where.within_days", "must be a whole number from 1 to 36,500"),
        ({"did_not": "workouts", "times": {"at_least": 1}}, "where.times", "is unknown beside did_not"),
        ({"did": "orders", "where": {"did": "workouts"}}, "where.where", "asks for events inside the conditions"),
        ({"did": "orders", "where": {"column": "kind", "op": "empty"}}, "where.where.column", "of the model orders"),
        (_deep(30), "where" + ".not" * 21, "nested deeper than 20 levels"),
        ({"any": [{"all": []}] * 600}, "where.any[499]", "has more than 500 conditions"),
    ],
)
def test_what_is_wrong_names_its_place_and_the_way_out(written: object, place: str, reason: str) -> None:
    with pytest.raises(BadCriteria) as refused:
        read_condition(written, TRAITS)
    assert refused.value.errors[0][0] == place
    assert reason in refused.value.errors[0][1]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadCriteria) as refused:
        read_condition({"all": [{"column": "x", "op": "is"}, IN_GERMANY, {"did": "y"}]}, TRAITS)
    assert [place for place, _ in refused.value.errors] == ["where.all[0].column", "where.all[2].did"]


def test_values_are_bound_and_never_written() -> None:
    found = compiled(read_condition({"column": "country", "op": "is", "value": "x' OR TRUE --"}, TRAITS))
    assert found.sql == 'coalesce(p."country" = CAST($where_1 AS TEXT), FALSE)'
    assert found.values == {"where_1": "x' OR TRUE --"}
