"""Users who opted out are in the audience, and get nothing: as a whole, or by the recipe's topic."""

import json
from pathlib import Path
from typing import Any

import pytest

from audience_jobs import sql
from audience_jobs.workspace import Workspace
from functions.domain.push.outcomes import Exclusion
from tests.audience_jobs.fitness import MODELS, fitness
from tests.command import Tminus, calling
from tests.factories import push, recipe

AT = "2026-11-23T18:00:00Z"


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tminus:
    monkeypatch.setenv("USER_ID_FORMAT", "any")
    return calling(monkeypatch, capsys)


def gym(folder: Path, opt_outs: str) -> Workspace:
    return fitness(folder / "fitness", devices=True, models={**MODELS, "opt_outs": opt_outs})


def run(tminus: Tminus, folder: Path, opt_outs: str, topic: str) -> Any:
    """Run a recipe for everybody: ann and bob have devices, Zoë has none."""
    there = gym(folder, opt_outs)
    document = recipe(
        audienceCriteria={"where": {"all": []}},
        pushSequence=[push(1, title="Hi", body="there")],
        settings={"testUserIds": ["1"]},
        topic=topic,
    )
    path = folder / "hello.json"
    path.write_text(json.dumps(document))
    state = ("--state", folder / "state", "--at", AT)
    ran = tminus("--workspace", there.folder, "run", path, "--data", there.folder / "data", *state, "--json")
    assert ran.status in (0, 3), ran.err
    return ran.report


BY_TOPIC = "SELECT '1' AS user_id, 'news' AS topic UNION ALL SELECT '2', 'offers'"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opt_outs", "topic", "sent", "excluded"),
    [
        ("SELECT '1' AS user_id", "", 1, {"opted_out": 1, "no_token": 1}),
        ("SELECT id AS user_id FROM members", "", 0, {"opted_out": 3}),
        ("SELECT '2' AS user_id, '' AS topic", "news", 1, {"opted_out": 1, "no_token": 1}),
        ("SELECT '2' AS user_id, CAST(NULL AS TEXT) AS topic", "", 1, {"opted_out": 1, "no_token": 1}),
        (BY_TOPIC, "news", 1, {"opted_out": 1, "no_token": 1}),
        (BY_TOPIC, "", 2, {"no_token": 1}),
        (BY_TOPIC, "new's", 2, {"no_token": 1}),
        ("SELECT '30' AS user_id UNION ALL SELECT '30' UNION ALL SELECT 'x'", "", 2, {"opted_out": 1}),
    ],
)
def test_who_opted_out_is_excluded_and_all_numbers_add_up(
    opt_outs: str, topic: str, sent: int, excluded: dict[str, int], tminus: Tminus, tmp_path: Path
) -> None:
    report = run(tminus, tmp_path, opt_outs, topic)
    totals = report["totals"]
    assert (totals["audienceSize"], totals["sent"], totals["excluded"]) == (3, sent, excluded)
    assert totals["audienceSize"] == totals["sent"] + sum(totals["excluded"].values())


@pytest.mark.long
def test_a_user_who_opted_out_still_gets_test_pushes(tminus: Tminus, tmp_path: Path) -> None:
    run(tminus, tmp_path, "SELECT id AS user_id FROM members", "")
    sent = [json.loads(line) for line in (tmp_path / "state" / "outbox.jsonl").read_text().splitlines()]
    assert len(sent) == 1, "the test push to user 1"


def test_the_word_is_the_same_in_files_and_reports() -> None:
    assert Exclusion.OPTED_OUT.value == sql.OPTED_OUT


@pytest.mark.parametrize(
    ("opt_outs", "told"),
    [
        ("SELECT 1 AS user_id", "opt_outs.sql:1: the model yields the column user_id as integer: make it text"),
        ("SELECT phone AS user_id FROM members", "opt_outs.sql:1: the model makes the column user_id or topic of"),
        (
            "SELECT '1' AS user_id, CAST($now AS TIMESTAMP) AS at",
            "opt_outs.sql:1: the model reads $now, which sending does not have",
        ),
        ("SELECT id AS member FROM members", "opt_outs.sql:1: the model yields no column user_id"),
    ],
)
def test_a_wrong_model_is_named(opt_outs: str, told: str, tminus: Tminus, tmp_path: Path) -> None:
    refused = tminus("--workspace", gym(tmp_path, opt_outs).folder, "audience", "--where", "{}")
    assert (refused.status, told in refused.err) == (2, True), refused.err
