"""`tminus init`, `check` and `run` on worlds that no one has prepared for them, in files and in PostgreSQL."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from audience_jobs.workspace import Workspace
from tests.audience_jobs.foreign import NOON, WORLDS, World, fill_postgres, write_csv
from tests.command import Tminus, calling

SIZE, SEED = 600, 7


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    monkeypatch.chdir(tmp_path)
    return calling(monkeypatch, capsys)


@pytest.fixture(params=list(WORLDS))
def world(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param](SIZE, SEED)


def proven(tminus: Tminus, world: World, *source: object) -> None:
    """Prove that a new workspace has exactly the world's people, and sends to those with a device who want it."""
    made = tminus("init", "team", *source, "--json")
    assert made.status == 0, made.err
    report = made.report
    assert (report["people"], report["reachable"]) == (len(world.people), len(world.reachable))
    assert report["optedOut"] == len(world.opted_out[""] & world.people)
    assert report["events"] == list(world.events)
    assert report["userIds"] == world.user_ids
    private = {name.lower(): {column.lower() for column in columns} for name, columns in world.private.items()}
    tables = Workspace(Path("team")).tables
    assert {name: set(table.private_columns) for name, table in tables.items() if table.private_columns} == private
    checked = tminus("--workspace", "team", "check", "--json")
    assert (checked.status, checked.report["problems"]) == (0, [])
    assert (checked.report["models"], checked.report["warnings"]) == (3 + len(world.events), [])
    hello: dict[str, Any] = json.loads(Path("team/recipes/hello.json").read_text(encoding="utf-8"))
    for topic, opted_out in world.opted_out.items():
        Path(f"hello{topic}.json").write_text(json.dumps({**hello, "topic": topic} if topic else hello))
        state = Path(f"state{topic}")
        ran = tminus("--workspace", "team", "run", f"hello{topic}.json", "--state", state, "--json")
        assert ran.status == 0, ran.err
        assert sent_to(state) == world.reachable - opted_out
        assert sent_to(state, test=True) == frozenset(hello["settings"]["testUserIds"])
        assert audience_ids(state) == world.people
    for model in world.events:
        did = json.dumps({"did": model, "within_days": 1})
        asked = ("--where", did, "--at", NOON.isoformat(), "--preview", len(world.people), "--json")
        found = tminus("--workspace", "team", "audience", *asked)
        assert found.status == 0, found.err
        assert {row[0] for row in found.report["rows"]} == world.lately(model, 1) < world.people
    again = tminus("init", "team", *source)
    assert (again.status, again.err.splitlines()) == (
        2,
        ["tminus: team is a workspace already: tminus tables brings its tables.toml up to date"],
    )


def sent_to(state: Path, *, test: bool = False) -> frozenset[str]:
    """The users who got a push of the only execution, or its test push."""
    lines = map(json.loads, (state / "outbox.jsonl").read_text(encoding="utf-8").splitlines())
    return frozenset(line["userId"] for line in lines if bool(line.get("test")) == test)


def audience_ids(state: Path) -> frozenset[str]:
    """The users of the audience of the only execution."""
    [path] = (state / "audiences").glob("*/1-default.csv")
    return frozenset(line.split(",")[0] for line in path.read_text(encoding="utf-8").splitlines()[1:])


def test_files_become_a_workspace(world: World, tminus: Tminus) -> None:
    write_csv(world, Path("export"))
    proven(tminus, world, "--data", "export")
    assert 'data = "../export"' in Path("team/tminus.toml").read_text()


def test_a_database_becomes_a_workspace(world: World, tminus: Tminus, postgres: str) -> None:
    fill_postgres(world, postgres, "team")
    proven(tminus, world, "--postgres", postgres, "--schema", "team")


@pytest.mark.long
def test_a_password_is_not_written(tminus: Tminus, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_postgres(WORLDS["shop"](30, 1), postgres, "team")
    secret = postgres.replace("postgres@", "postgres:hush@")
    made = tminus("init", "team", "--postgres", secret, "--schema", "team")
    assert (made.status, "hush" in made.out) == (0, False)
    assert "missing: the password of --postgres is not written: give it as PGPASSWORD" in made.out
    assert f'postgres = "{postgres}"' in Path("team/tminus.toml").read_text()
    monkeypatch.setenv("SHOP_DATABASE", secret)
    named = tminus("init", "other", "--postgres", "SHOP_DATABASE", "--schema", "team", "--json")
    assert (named.status, named.report["missing"]) == (
        0,
        [line.removeprefix("missing: ") for line in made.out.splitlines() if line.startswith("missing: no column")],
    )
    assert 'postgres = "SHOP_DATABASE"' in Path("other/tminus.toml").read_text()
    assert tminus("--workspace", "other", "check").status == 0


@pytest.mark.long
def test_without_data_there_is_an_example_that_runs(tminus: Tminus) -> None:
    made = tminus("init", "club")
    assert made.status == 0, made.err
    assert "20 people, 17 of them with a device" in made.out
    assert made.out.endswith(
        "next: tminus --workspace club check\n      tminus --workspace club run club/recipes/hello.json\n"
    )
    assert tminus("--workspace", "club", "check").out == (
        "club: no problems in 3 tables, 3 models, 1 recipe; 20 people, 17 with a device\n"
    )
    ran = tminus("--workspace", "club", "run", "club/recipes/hello.json", "--json")
    assert (ran.status, ran.report["totals"]["sent"]) == (0, 17)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--data", "nowhere"), "the user data folder"),
        (("--data", "a", "--bigquery", "p.d"), "give one of --data, --postgres and --bigquery"),
        (("--postgres", "mysql://x"), "--postgres: write postgresql://role@host/database, or the name of a variable"),
        (("--postgres", "NOT_SET"), "NOT_SET: must be set"),
        (("--bigquery", "shop"), '--bigquery: is "shop": write project.dataset'),
        (("--data", "gs://b/../c"), "--data: "),
        (("--data", "a", "--schema", "s"), "--schema belongs to --postgres"),
        (("--data", "a", "--bucket", "s"), "--bucket belongs to --bigquery"),
    ],
)
def test_what_cannot_be_a_source_is_refused_in_one_line(options: tuple[str, ...], told: str, tminus: Tminus) -> None:
    refused = tminus("init", "team", *options)
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert told in refused.err
    assert not Path("team").exists()


def csv_files(**tables: str) -> None:
    Path("export").mkdir(exist_ok=True)
    for name, text in tables.items():
        (Path("export") / f"{name}.csv").write_text(text, encoding="utf-8")


@pytest.mark.long
def test_without_tokens_it_says_what_is_missing_and_check_names_it(tminus: Tminus) -> None:
    csv_files(members="id,name\n1,Ann\n2,Bo\n", phones="member,push_token,os\n1,,ios\n2,,ios\n")
    made = tminus("init", "team", "--data", "export", "--json")
    assert made.status == 0, made.err
    assert "phones.push_token is named like a token, but its values do not look like one" in made.report["unsure"]
    assert "none of the people has a device: look at models/devices.sql" in made.report["missing"]
    checked = tminus("--workspace", "team", "check")
    assert checked.err.splitlines() == [
        "tminus: team/models/devices.sql:1: none of the 2 people has a device: look at its columns user_id and token"
    ]
    csv_files(phones="member,os\n1,ios\n")
    bare = tminus("init", "bare", "--data", "export", "--json")
    assert bare.report["missing"][0].startswith("no column of members has a time zone")
    assert any("no column looks like device tokens" in line for line in bare.report["missing"])


def test_a_source_without_people_is_refused(tminus: Tminus) -> None:
    csv_files(events="kind,at\nopen,2026-01-01\nopen,2026-01-01\n")
    refused = tminus("init", "team", "--data", "export")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "no table has a column with an id of its own in each row" in refused.err
    csv_files(broken="a,b\n1\n")
    assert "broken.csv: line 2 has 1 fields instead of 2" in tminus("init", "team", "--data", "export").err


@pytest.mark.long
def test_rows_that_repeat_an_id_are_left_out(tminus: Tminus) -> None:
    rows = "".join(f"{number},name {number}\n" for number in range(1, 1500))
    token = "dGVzdC1pbnN0YW5jZQ:APA91b" + "x" * 130
    csv_files(
        members=f"id,name\n{rows}3,again\n,none\n",
        phones=f"member_id,push_token,os\n1,{token}1,ios\n3,{token}3,ios\n",
    )
    made = tminus("init", "team", "--data", "export", "--json")
    assert made.status == 0, made.err
    assert "2 rows of members have no id, or repeat one: left out" in made.report["unsure"]
    assert (made.report["people"], made.report["reachable"]) == (1499, 2)
    assert tminus("--workspace", "team", "check").status == 0


@pytest.fixture
def team(tminus: Tminus) -> Path:
    write_csv(WORLDS["news"](40, 1), Path("export"))
    assert tminus("init", "team", "--data", "export").status == 0
    return Path("team")


@pytest.mark.long
def test_check_names_every_problem_with_file_line_and_way_out(team: Path, tminus: Tminus) -> None:
    recipe: dict[str, Any] = json.loads((team / "recipes/hello.json").read_text())
    recipe |= {"id": "bad"}
    recipe["pushSequence"][0]["title"] = "Hello [[var:nick]]"
    (team / "recipes/bad.json").write_text(json.dumps(recipe, indent=2))
    (team / "recipes/worse.json").write_text('{\n  "id": "x",\n')
    lines = tminus("--workspace", "team", "check").err.splitlines()
    number = next(
        n for n, line in enumerate((team / "recipes/bad.json").read_text().splitlines(), 1) if "nick" in line
    )
    assert lines[0].startswith(f"tminus: team/recipes/bad.json:{number}: pushSequence[0].title: ")
    assert lines[1].startswith("tminus: team/recipes/worse.json: line 3, column 1: ")
    (team / "models/people.sql").rename(team / "models/persons.sql")
    (team / "models/loop.sql").write_text("SELECT user_id FROM loops")
    (team / "models/loops.sql").write_text("SELECT user_id FROM loop")
    found = tminus("--workspace", "team", "check", "--json")
    assert (found.status, found.report["valid"]) == (2, False)
    told = "\n".join(each["problem"] for each in found.report["problems"])
    assert "team/models/people.sql:1: there is no such file: write one SELECT with user_id" in told
    assert "the model reads itself: loop reads loops reads loop; break the cycle" in told


@pytest.mark.long
def test_a_new_job_reads_the_models(team: Path, tminus: Tminus) -> None:
    people = 'SELECT r.reader_id AS user_id, r.fullname AS "fullName" FROM readers r'
    (team / "models/people.sql").write_text(people, encoding="utf-8")
    assert tminus("--workspace", "team", "jobs", "new", "mine").status == 0
    assert tminus("--workspace", "team", "jobs", "new", "other", "--python").status == 0
    for job in ("mine", "other"):
        ran = tminus("--workspace", "team", "jobs", "run", job, "--preview", "1", "--at", NOON.isoformat())
        assert (ran.status, "fullName" in ran.out) == (0, True), ran.err
    assert "FROM people" in (team / "jobs/mine.sql").read_text()


@pytest.mark.long
def test_check_warns_of_layers_that_no_rule_limits(team: Path, tminus: Tminus) -> None:
    path = team / "tminus.toml"
    written = path.read_text(encoding="utf-8")
    line = written.splitlines().index('2 = "Campaigns"') + 1
    warning = f"{path}:{line}: layer 2 has no cadence rule: nothing limits how often its people get a push; "
    path.write_text(written.replace("layers = [2, 3, 5]", "layers = [3, 5]"), encoding="utf-8")
    warned = tminus("--workspace", "team", "check")
    assert (warned.status, warned.out[:17]) == (0, "team: no problems")
    assert warned.err == f"tminus: warning: {warning}write [cadence.NAME] with layers, hours and count\n"
    path.write_text(written + "active = false\n", encoding="utf-8")
    found = tminus("--workspace", "team", "check", "--json").report
    assert (found["valid"], [each.startswith(warning) for each in found["warnings"]]) == (True, [True])
    path.write_text(written.replace('2 = "Campaigns"', '2 = { name = "A", exempt = true }').split("# A user")[0])
    assert tminus("--workspace", "team", "check").err == ""
    (team / "recipes/hello.json").unlink()
    path.write_text(written.split("# A user")[0], encoding="utf-8")
    assert tminus("--workspace", "team", "check").err == ""


@pytest.mark.long
def test_check_compares_with_the_source(team: Path, tminus: Tminus) -> None:
    path = Path("export/readers.csv")
    header, rest = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text(header.replace("age", "years") + "\n" + rest, encoding="utf-8")
    line = next(
        n for n, text in enumerate((team / "tables.toml").read_text().splitlines(), 1) if text.startswith("age")
    )
    answer = tminus("--workspace", "team", "check")
    where = Path("export").resolve()
    gone = f"is not in {where} any more: put it back, or take it out of the file"
    assert answer.err == f"tminus: team/tables.toml:{line}: readers.age: {gone}\n"
    assert tminus("--workspace", "team", "tables").status == 0
    assert "people.sql" in tminus("--workspace", "team", "check").err


@pytest.mark.long
def test_check_says_that_the_source_is_gone(team: Path, tminus: Tminus) -> None:
    Path("export").rename("moved")
    line = (team / "tminus.toml").read_text().splitlines().index("[source]") + 1
    lost = tminus("--workspace", "team", "check")
    assert lost.err.startswith(f"tminus: team/tminus.toml:{line}: source: the user data folder ")
    assert (lost.status, lost.err.count("\n")) == (2, 1)
    assert tminus("--workspace", "team", "check", "--data", "moved").status == 0


def test_an_engine_refuses_what_only_the_source_can_tell(tminus: Tminus, postgres: str) -> None:
    fill_postgres(WORLDS["news"](40, 1), postgres, "team")
    assert tminus("init", "team", "--postgres", postgres, "--schema", "team").status == 0
    with psycopg.connect(postgres) as connection:
        connection.execute(b"ALTER TABLE team.readers DROP COLUMN lang; DROP TABLE team.articles")
    answer = tminus("--workspace", "team", "check")
    assert [line.split(": ")[2] for line in answer.err.splitlines()] == ["articles", "readers.lang"]


@pytest.mark.long
def test_a_run_is_that_of_a_day(team: Path, tminus: Tminus) -> None:
    def run(*options: str) -> Any:
        return tminus("--workspace", "team", "run", team / "recipes/hello.json", *options, "--json")

    ran = run("--on", "2026-11-30")
    assert (ran.status, ran.report["executionId"][:14]) == (0, "hello_20261130"), ran.err
    refused = run("--on", "2026-12-01")
    assert (refused.status, refused.err) == (
        2,
        "tminus: --on 2026-12-01: recipe hello sends nothing on that day; its next days: 2026-12-07, 2026-12-14, "
        "2026-12-21\n",
    )
    assert run("--on", "tomorrow").err == "tminus: --on 'tomorrow': write a day, such as 2026-11-23\n"
    assert run("--on", "2026-11-30", "--at", "2026-11-30T10:00:00Z").err == "tminus: give --at or --on, not both\n"
