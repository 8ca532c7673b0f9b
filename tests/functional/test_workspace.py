"""Another team's workspace: the command line and the API read its tables, and nothing of the marketplace's."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.workspace import Workspace, marketplace
from functions import bootstrap
from functions.domain.errors import Misconfigured
from functions.settings.read import read_settings
from local.sample import generate
from tests.audience_jobs.fitness import SECRET, fitness
from tests.audience_jobs.worlds import NOW
from tests.command import Tminus, calling
from tests.factories import push, recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

AT = "2026-11-23T18:00:00Z"
ACTIVE = """SELECT m.id AS user_id, m.first_name AS "firstName", count(*) AS workouts
FROM members m JOIN workouts w ON w.memberId = m.id WHERE w.at > $now - INTERVAL '30 days'
GROUP BY m.id, m.first_name"""
NOTICE = "tminus: no tminus.toml here or above: this is the built-in workspace, marketplace\n"
Write = Callable[[str], Path]


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    """The command, in a folder without a workspace."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return calling(monkeypatch, capsys)


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness", devices=True)


@pytest.fixture
def query(tmp_path: Path) -> Write:
    def write(sql: str) -> Path:
        path = tmp_path / "query.sql"
        path.write_text(sql)
        return path

    return write


def campaign(**criteria: Any) -> dict[str, Any]:
    pushes = [push(1, title="Hi [[var:firstName]]", body="[[var:workouts]] workouts!")]
    return recipe(audienceCriteria=criteria, pushSequence=pushes, settings={"testUserIds": ["1"]})


def test_a_query_reads_the_tables_of_the_workspace(tminus: Tminus, shop: Workspace, query: Write) -> None:
    found = tminus(
        *("--workspace", shop.folder, "audience", "--query", query(ACTIVE)),
        *("--data", shop.folder / "data", "--at", AT, "--json"),
    )
    assert (found.status, found.err) == (0, "")
    assert (found.report["columns"], found.report["rows"]) == (
        ["user_id", "firstName", "workouts"],
        [["1", "Ann", "2"]],
    )


@pytest.mark.parametrize("how", ["environment", "here", "above"])
def test_the_workspace_is_found_without_the_option(
    how: str, tminus: Tminus, shop: Workspace, query: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "environment":
        monkeypatch.setenv("WORKSPACE", str(shop.folder))
    else:
        monkeypatch.chdir(shop.folder / "data" if how == "above" else shop.folder)
    found = tminus("audience", "--query", query(ACTIVE), "--data", shop.folder / "data", "--at", AT)
    assert (found.status, found.err) == (0, "")
    assert found.out.startswith("1 users: ")


@pytest.mark.long
def test_without_one_the_marketplace_is_used_and_the_command_says_so_once(tminus: Tminus, tmp_path: Path) -> None:
    generate(tmp_path / "market", users=50, seed=1, at=NOW)
    everybody = ("audience", "--filters", "{}", "--data", tmp_path / "market", "--json")
    assert tminus(*everybody).err == NOTICE
    assert tminus("--workspace", marketplace().folder, *everybody).err == ""
    assert tminus("recipes", "validate", tmp_path / "none.json").err.count("\n") == 1, "a refusal has its own line"
    for quiet in (("--version",), ("--help",), ("audience", "--help"), ("jobs", "--help")):
        assert tminus(*quiet).err == ""


def test_the_option_counts_before_the_environment(
    tminus: Tminus, shop: Workspace, query: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = fitness(tmp_path / "other")
    (other.folder / "tables.toml").write_text('[others.columns]\nid = "id"\n')
    monkeypatch.setenv("WORKSPACE", str(other.folder))
    data = ("--data", shop.folder / "data", "--at", AT)
    assert tminus("--workspace", shop.folder, "audience", "--query", query(ACTIVE), *data).status == 0
    refused = tminus("audience", "--query", query(ACTIVE), *data)
    assert "reads 'members', which is not a table this query can read; those are others" in refused.err


def test_a_user_id_of_another_form_is_refused_by_the_built_in_workspace(tminus: Tminus) -> None:
    past = Path("history.csv")
    past.write_text("user_id,layer,sent_at\nfadead8e-3c5e-4a1b-9d2f-0123456789ab,1,2026-11-20T10:00:00Z\n")
    tminus("cadence", "import", past)
    refused = tminus("cadence", "user", "2327")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert '"2327" is not a user ID of this deployment; enter one such as fadead8e' in refused.err
    assert refused.err.endswith(f"; {NOTICE.removeprefix('tminus: ')}")


@pytest.mark.parametrize("command", [("audience", "--filters", "{}"), ("jobs", "list"), ("recipes", "list")])
def test_a_folder_without_tminus_toml_is_refused(command: tuple[str, ...], tminus: Tminus, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        refused = tminus("--workspace", folder, *command)
        assert refused.status == 2
        assert refused.err == (
            f"tminus: --workspace {folder}: there is no tminus.toml in it; give the folder of a workspace\n"
        )


def test_every_problem_of_the_files_is_a_line(tminus: Tminus, shop: Workspace) -> None:
    (shop.folder / "tminus.toml").write_text('title = "fitness"')
    (shop.folder / "tables.toml").write_text('[members.columns]\nid = "id"\nemail = "txt"\nage = "int"\n')
    refused = tminus("--workspace", shop.folder, "audience", "--filters", "{}")
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.splitlines() == [
        f'tminus: {shop.folder}/tminus.toml:1: name: is missing: write one, as in name = "shop"',
        f"tminus: {shop.folder}/tminus.toml:1: title: unknown key; known: name, user_id, source, layers, cadence, "
        "templates, filters, filter_queries, topics, links, images, android, defaults, people",
        f'tminus: {shop.folder}/tables.toml:3: members.email: unknown type "txt"; did you mean "text"?',
        f'tminus: {shop.folder}/tables.toml:4: members.age: unknown type "int"; did you mean "integer"?',
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--filters", '{"lastActiveDays": 3}'), "filters.lastActiveDays: needs user_activities.user_id (id), "),
        (("--filters", "{}"), "filters: needs users.id (id), which tables.toml of the workspace lacks"),
        (("--pack", "topTargetShoe"), "dataPacks: needs product_variants.id (id), "),
    ],
)
def test_what_reads_the_marketplace_says_what_is_missing(
    options: tuple[str, ...], told: str, tminus: Tminus, shop: Workspace
) -> None:
    refused = tminus("--workspace", shop.folder, "audience", *options, "--data", shop.folder / "data")
    assert (refused.status, refused.out) == (2, "")
    assert any(line.startswith(f"tminus: {told}") for line in refused.err.splitlines())


@pytest.mark.slow
def test_a_recipe_is_checked_sent_and_forecast(tminus: Tminus, shop: Workspace, tmp_path: Path) -> None:
    recipes, data = tmp_path / "recipes", shop.folder / "data"
    recipes.mkdir()
    path = recipes / "hello.json"
    path.write_text(json.dumps(campaign(customQuery=ACTIVE)))
    there = ("--workspace", shop.folder)
    assert tminus(*there, "recipes", "validate", path).status == 0
    state = tmp_path / "state"
    ran = tminus(*there, "run", path, "--data", data, "--state", state, "--at", "2026-11-23T18:00:00Z", "--json")
    assert (ran.status, ran.report["totals"]["sent"]) == (0, 1), ran.err
    sent = [json.loads(line) for line in (state / "outbox.jsonl").read_text().splitlines()]
    assert [(message["title"], message["body"]) for message in sent] == [("Hi Ann", "2 workouts!")] * 2
    seen = tminus(*there, "simulate", "--recipes", recipes, "--data", data, "--from", AT, "--days", "1", "--json")
    assert (seen.status, seen.report["totals"]["sent"]) == (0, 1), seen.err


def test_without_devices_nothing_is_sent_and_the_reason_is_told(
    tminus: Tminus, shop: Workspace, tmp_path: Path
) -> None:
    shop = fitness(tmp_path / "mute")
    path = tmp_path / "hello.json"
    path.write_text(json.dumps(campaign(customQuery=ACTIVE)))
    state = tmp_path / "state"
    refused = tminus("--workspace", shop.folder, "run", path, "--data", shop.folder / "data", "--state", state)
    assert refused.status == 2
    assert refused.err.startswith("tminus: sending needs devices.user_id (id), devices.token (text), ")
    assert not state.exists()


@pytest.fixture
def api(lab: Lab, shop: Workspace) -> ApiClient:
    ports = replace(lab.ports, engine=DuckDBEngine(shop.folder / "data", shop), workspace=shop)
    return ApiClient(lambda: ports)


def test_the_api_finds_and_previews_users_by_the_teams_tables(api: ApiClient) -> None:
    sql = "SELECT id AS user_id, username FROM members"
    found = api.data("POST", "/api/query-audience", json={"customQuery": sql})
    assert (found["count"], found["rows"][0]) == (3, found["csv"].splitlines()[1].split(","))
    assert SECRET not in json.dumps(found)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT id AS user_id, phone FROM members", "members.phone is private"),
        ("SELECT m.id AS user_id, CAST(m AS TEXT) AS x FROM members m", "as a whole row"),
        ("SELECT user_id, token FROM tokens", "reads tokens, which is private"),
        ("SELECT user_id, token FROM devices", "reads devices, which is private"),
        ("SELECT i AS user_id FROM members AS m(i)", "renames the columns of members"),
        ("SELECT m.id AS user_id FROM members m NATURAL JOIN workouts", "uses NATURAL JOIN"),
        ("SELECT id AS user_id FROM (members)", "has the table members in parentheses"),
    ],
)
def test_nothing_private_gets_through_the_api(sql: str, reason: str, api: ApiClient) -> None:
    document = campaign(customQuery=sql)
    calls = (
        ("/api/query-audience", {"customQuery": sql}),
        ("/api/query-audience?format=csv", {"customQuery": sql}),
        ("/api/automation/recipes", document),
    )
    for path, body in calls:
        answer = api("POST", path, json=body)
        assert answer.status_code == 422, answer.text
        assert reason in answer.text
        assert SECRET not in answer.text


def test_a_deployment_names_its_workspace(shop: Workspace, tmp_path: Path) -> None:
    assert bootstrap.workspace(read_settings({})) is marketplace()
    named = read_settings({"WORKSPACE": str(shop.folder)})
    assert bootstrap.workspace(named).name == "fitness"
    with pytest.raises(Misconfigured, match=r"WORKSPACE: there is no tminus\.toml in '.*/nowhere'"):
        read_settings({"WORKSPACE": str(tmp_path / "nowhere")})
    (shop.folder / "tables.toml").write_text("[members.columns]\nid = 1")
    with pytest.raises(Misconfigured, match=r"WORKSPACE: .*/tables\.toml:2: members\.id: is a number"):
        bootstrap.workspace(named)
