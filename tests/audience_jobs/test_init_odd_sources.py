"""What `tminus init` says of sources with odd files, names and values, so that nothing is lost without a word."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.audience_jobs.test_first_models import TOKEN, made, opted_out, phones
from tests.audience_jobs.test_init_command import csv_files, tminus
from tests.command import Tminus

__all__ = ["tminus"]
MEMBERS = "id,name\n1,a\n2,b\n3,c\n"


def test_a_suffix_in_capitals_is_one(tminus: Tminus) -> None:
    csv_files(opt_outs="member_id\n1\n")
    Path("export/opt_outs.csv").rename("export/opt_outs.CSV")
    report = made(tminus, members=MEMBERS, phones=phones(1, 2, 3))
    assert (report["optedOut"], len(opted_out(report))) == (1, 1)
    Path("export/opt_outs.csv").write_text("member_id\n2\n")
    twice = tminus("--workspace", "team", "check")
    assert twice.status == 2
    assert "exists too; remove the outdated one" in twice.err
    assert "any more" not in twice.err


def test_a_file_in_another_format_is_named(tminus: Tminus) -> None:
    csv_files(members=MEMBERS, phones=phones(1, 2, 3))
    for name in ("opt_outs.csv.gz", "orders.xlsx", "readme.txt", ".hidden"):
        (Path("export") / name).touch()
    reason = "only CSV and Parquet files are read, not packed: export it as one"
    assert made(tminus)["leftOut"] == [f'"{name}" (file): {reason}' for name in ("opt_outs.csv.gz", "orders.xlsx")]


def test_init_says_that_nothing_says_who_has_opted_out(tminus: Tminus) -> None:
    line = "says who has opted out, so {} is left out: write models/opt_outs.sql (docs/workspace.md)"
    report = made(tminus, members=MEMBERS, phones=phones(1, 2, 3))
    assert f"nothing {line.format('no one')}" in report["missing"]
    rows = phones(1, 2, 3).replace("ios\n", "ios,true\n").replace("os\n", "os,push_enabled\n", 1)
    csv_files(members=MEMBERS, phones=rows)
    switched = tminus("init", "other", "--data", "export", "--json").report
    assert f"nothing but phones.push_enabled {line.format('no one else')}" in switched["missing"]


def test_a_consent_that_is_left_out_for_its_name_is_said(tminus: Tminus) -> None:
    csv_files(members="id,marketing consent,größe\n1,yes,2\n2,no,3\n", phones=phones(1, 2))
    Path("export/opt outs.csv").write_text("member_id\n1\n")
    Path("export/unsubscribes.csv").touch()
    report = made(tminus)
    left_out = "models/opt_outs.sql does not read it, because it is left out"
    assert [line for line in report["unsure"] if "left out" in line] == [
        f'"marketing consent" of members may say who wants pushes: {left_out}',
        f'"opt outs" may list opt-outs: {left_out}',
        f'"unsubscribes.csv" may list opt-outs: {left_out}',
    ]


def test_a_consent_of_unknown_users_is_said(tminus: Tminus) -> None:
    report = made(
        tminus, members=MEMBERS, phones=phones(1, 2, 3), choices="email,push_enabled\na@b.de,true\nc@d.de,false\n"
    )
    assert "choices.push_enabled may say who wants pushes: models/opt_outs.sql does not read it" in report["unsure"]


def shop(*, key: str = "customer_no", odd: str = "79", people: str = "customers", owners: str = "") -> dict[str, str]:
    """Return tables of a shop: 60 customers, of them one with an odd number, their devices, and far more orders."""
    numbers = [*range(20, 79), odd]
    devices = "".join(f"{number},{TOKEN}{number},ios\n" for number in range(20, 70))
    orders = "".join(f"{n},{20 + n % 50},2026-01-{n % 28 + 1:02} 10:00:00\n" for n in range(1, 400))
    return {
        people: f"{owners or key},city\n" + "".join(f"{number},Wien\n" for number in numbers),
        "handsets": f"{key},push_token,platform\n{devices}",
        "orders": f"order_id,{key},ordered_at\n{orders}",
    }


@pytest.mark.long
@pytest.mark.parametrize("odd", ["79", "abc", "", "20"])
@pytest.mark.parametrize(
    "names", [{}, {"key": "kunde", "people": "kunden", "owners": "nr"}, {"key": "knr", "people": "k"}]
)
def test_one_odd_id_makes_no_other_table_the_people(odd: str, names: dict[str, str], tminus: Tminus) -> None:
    report = made(tminus, check=True, **shop(odd=odd, **names))
    table, key = names.get("people", "customers"), names.get("owners") or names.get("key", "customer_no")
    assert report["guessed"][0] == f"people: {table}, one row for each {key}"
    assert (report["people"], report["reachable"], report["events"]) == (59 + (odd in ("79", "abc")), 50, ["orders"])
    assert any("taken for the people" in line for line in report["unsure"]) == ("owners" in names)


@pytest.mark.long
def test_an_odd_id_beyond_the_sample_makes_no_other_table_the_people(tminus: Tminus) -> None:
    tables = shop()
    tables["customers"] += "".join(f"{number},Wien\n" for number in range(1000, 2200)) + "abc,Wien\n"
    report = made(tminus, check=True, **tables)
    assert (report["people"], report["events"]) == (1261, ["orders"])
    assert "customers.customer_no: not all values are integer: 'abc', so it is text" in report["unsure"]


def test_ids_that_are_left_out_for_their_name_are_said(tminus: Tminus) -> None:
    report = made(tminus, check=False, **shop(key="customer no"))
    assert report["missing"][2] == (
        'handsets.push_token looks like device tokens, but no column of handsets says whose they are ("customer no" '
        "is left out for its name or type): nothing is sent until models/devices.sql reads some"
    )
    assert report["unsure"][0] == (
        "orders is taken for the people: customers looks more like them, but no column of it has an id in each row; "
        "look at models/people.sql"
    )


def test_a_table_that_does_not_look_like_people_is_unsure(tminus: Tminus) -> None:
    report = made(
        tminus, orders="nr,at\n1,2026-01-01\n2,2026-01-02\n", boxes=phones(1, 2, 1).replace("member_id", "ref")
    )
    assert report["guessed"][0] == "people: orders, one row for each nr"
    assert report["unsure"][0] == (
        "orders is taken for the people: neither its name nor its values say so; look at models/people.sql"
    )


@pytest.mark.long
def test_only_the_opt_outs_that_count_are_counted(tminus: Tminus) -> None:
    rows = [
        "1,push,,false",
        "2,email,,false",
        "3, PUSH ,,false",
        "4,,2026-01-01 10:00:00,false",
        "5,push,,true",
        ",push,,",
    ]
    report = made(
        tminus,
        members="id,push_enabled,deleted\n"
        + "".join(f"{n},{n != 6},{n == 7}\n" for n in range(1, 9))
        + "9,false,true\n",
        phones=phones(*range(1, 9)),
        unsubscribes="member_id,channel,revoked_at,deleted\n" + "".join(f"{row}\n" for row in rows),
    )
    assert opted_out(report) == [
        "users whose members.push_enabled is false: 1 of 9 sampled rows",
        "users in unsubscribes, by member_id: 2 of 6 sampled rows",
    ]
    assert report["optedOut"] == 3
    assert json.loads(Path("team/recipes/hello.json").read_text())["settings"]["testUserIds"] == ["2"]


@pytest.fixture
def reader(postgres: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """A connection to an empty schema `bureau`, and the address of a role that has no right to its tables yet."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA bureau; CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA bureau TO clerk")
        try:
            yield connection, postgres.replace("postgres@", "clerk@")
        finally:
            connection.execute("DROP SCHEMA bureau CASCADE; DROP OWNED BY clerk; DROP ROLE clerk")


def test_tables_that_the_role_cannot_read_are_named(
    tminus: Tminus, reader: tuple[psycopg.Connection[Any], str]
) -> None:
    connection, url = reader
    connection.execute(
        "CREATE TABLE bureau.members AS SELECT generate_series(1, 9) AS id; GRANT SELECT ON bureau.members TO clerk;"
        "CREATE TABLE bureau.opt_outs (member_id int); CREATE TABLE bureau.letters (id int);"
        "GRANT INSERT ON bureau.letters TO clerk; CREATE MATERIALIZED VIEW bureau.sums AS SELECT 1 AS n"
    )
    read = tminus("init", "team", "--postgres", url, "--schema", "bureau", "--json")
    assert read.status == 0, read.err
    refused = "the role may not read it: grant it USAGE on the schema and SELECT on the table"
    left_out = [
        f'"letters" (table): {refused}',
        f'"opt_outs" (table): {refused}',
        '"sums" (table): is a materialized view: read it through a view',
    ]
    assert read.report["leftOut"] == left_out
    assert any(line.startswith('"opt_outs" may list opt-outs: ') for line in read.report["unsure"])
    tables = tminus("--workspace", "team", "tables")
    assert (tables.status, tables.err.splitlines()) == (0, [f"left out: {line}" for line in left_out])


@pytest.mark.parametrize("schema", ["bureau", "nosuch"])
def test_a_schema_without_a_table_to_read_is_refused(
    schema: str, tminus: Tminus, reader: tuple[psycopg.Connection[Any], str]
) -> None:
    connection, url = reader
    connection.execute("CREATE TABLE bureau.members (id int)")
    refused = tminus("init", "team", "--postgres", url, "--schema", schema)
    assert (refused.status, refused.err) == (
        2,
        f"tminus: the schema '{schema}' of the user database does not exist, or has no table that the role can read: "
        "name another schema, or grant the role USAGE on it and SELECT on its tables\n",
    )


@pytest.mark.parametrize("bad", [1, 5])
def test_unusable_zones_and_locales_are_counted(bad: int, tminus: Tminus) -> None:
    rows = "".join(
        f"{n},{'CET+1' if n <= bad else 'Europe/Berlin'},{'EN' if n <= bad else 'en'}\n" for n in range(1, 21)
    )
    report = made(tminus, members=f"id,tz,language\n{rows}", phones=phones(1, 2, 3))
    assert {"time zone: members.tz", "locale: members.language"} <= set(report["guessed"])
    assert [line for line in report["unsure"] if "values are not" in line] == [
        f"members.tz: {bad} of 20 sampled values are not a time zone",
        f"members.language: {bad} of 20 sampled values are not a locale",
    ]


def test_blanks_around_a_platform_are_cut(tminus: Tminus) -> None:
    written = phones(1, 2, 3).replace("1,ios", "1, iPhone ").replace("2,ios", "2, ANDROID")
    made(tminus, members=MEMBERS, phones=written)
    sql = Path("team/models/devices.sql").read_text()
    assert "CASE WHEN lower(trim(d.os)) IN ('iphone', 'ipad', 'ipados') THEN 'ios' ELSE lower(trim(d.os)) END" in sql


def test_files_that_are_all_empty_are_said(tminus: Tminus) -> None:
    csv_files(members="", phones="")
    refused = tminus("init", "team", "--data", "export")
    assert (refused.status, refused.err) == (
        2,
        f"tminus: {Path('export').resolve()}: no table can be read: "
        '"members.csv" (file): it is empty: export it with its header; '
        '"phones.csv" (file): it is empty: export it with its header\n',
    )


def test_tables_without_rows_are_said(tminus: Tminus) -> None:
    report = made(
        tminus, check=False, members="id,name\n", phones="member_id,push_token,os\n", orders="id,member_id,at\n"
    )
    assert report["noEvents"] == ["orders: it has no rows to look at"]
    assert "phones.push_token is named like a token, but there are no rows to look at" in report["unsure"]
    assert "there are no people: look at the rows of the source and at models/people.sql" in report["missing"]
