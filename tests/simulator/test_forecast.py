"""`tminus simulate`: what will go out, on real user data."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local.cli.main import cli
from local.runtime.recipe_files import read_recipe_file
from local.sample.generate import generate

BEGINS = "2026-05-04T00:00:00Z"
RECIPES = Path(__file__).parents[2] / "local" / "recipes"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    generate(folder, users=2_000, seed=1, at=datetime(2026, 5, 4, tzinfo=UTC))
    return folder


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    folder = tmp_path / "recipes"
    folder.mkdir()
    for path in RECIPES.glob("*.json"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def ask(recipes: Path, data: Path, *more: str) -> Result:
    command = ["simulate", "--recipes", str(recipes), "--data", str(data), "--from", BEGINS, "--days", "2", *more]
    return CliRunner().invoke(cli, command, catch_exceptions=False)


def answer(*given: Any) -> dict[str, Any]:
    asked = ask(*given, "--json")
    assert asked.exit_code == 0, asked.output
    return json.loads(asked.stdout)  # type: ignore[no-any-return]


@pytest.mark.long
def test_a_week_has_its_sends_and_every_number_adds_up(recipes: Path, data: Path) -> None:
    made = answer(recipes, data, "--days", "7")
    sends = [(entry["recipe"], entry["sendAt"]) for entry in made["calendar"]]
    assert sends.count(("new-user-welcome", "2026-05-04T15:00:00Z")) == 1
    assert [recipe for recipe, _ in sends].count("sneaker-reactivation") == 7
    assert [recipe for recipe, _ in sends].count("new-user-welcome") == 2
    for entry in made["calendar"]:
        for push in entry["pushes"]:
            parts = push["sent"] + push["failed"] + push["unknown"] + push["notReached"]
            assert parts + sum(push["excluded"].values()) == push["audienceSize"]
    assert made["totals"]["sent"] == sum(entry["sent"] for entry in made["recipes"]) > 0


def test_what_a_cap_holds_back_names_the_recipe_that_was_first(recipes: Path, data: Path) -> None:
    document = read_recipe_file(recipes / "sneaker-reactivation.json")
    document["id"], document["schedule"]["executionTime"] = "second", "19:30"
    (recipes / "second.json").write_text(json.dumps(document), encoding="utf-8")
    made = answer(recipes, data)
    found = {(entry["recipe"], entry["heldBackBy"]) for entry in made["collisions"]}
    assert ("second", "sneaker-reactivation") in found


@pytest.mark.long
def test_the_same_question_gets_the_same_answer(recipes: Path, data: Path) -> None:
    asked = ("--json", "--days", "1")
    assert ask(recipes, data, *asked).stdout == ask(recipes, data, *asked).stdout


@pytest.mark.long
def test_faults_are_played_over_several_seeds_and_break_nothing(recipes: Path, data: Path) -> None:
    made = answer(recipes, data, "--faults", "normal", "--runs", "2")
    assert [run["seed"] for run in made["runs"]] == [1, 2]
    assert any(run["faults"] for run in made["runs"])
    assert not any(run["breaches"] for run in made["runs"])


@pytest.mark.long
def test_the_page_needs_nothing_from_elsewhere(recipes: Path, data: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    asked = ask(recipes, data, "--html", str(page))
    assert asked.exit_code == 0
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") == 3
    assert "sneaker-reactivation" in html
    assert not any(word in html for word in ("http:", "https:", "src=", "<script", "@import", "url("))


@pytest.mark.long
def test_two_folders_are_compared(recipes: Path, data: Path, tmp_path: Path) -> None:
    after = tmp_path / "after"
    after.mkdir()
    name = "new-user-welcome.json"
    (after / name).write_text((recipes / name).read_text(encoding="utf-8"), encoding="utf-8")
    made = answer(recipes, data, "--compare", str(after))
    totals = made["comparison"]["totals"]
    assert totals["executions"] == {"before": 3, "after": 1}
    assert "what changes" in ask(recipes, data, "--compare", str(after)).stdout


def test_a_recipe_that_is_wrong_is_named_with_its_file(recipes: Path, data: Path) -> None:
    (recipes / "wrong.json").write_text(json.dumps({"id": "wrong", "schedule": {}}), encoding="utf-8")
    with pytest.raises(Exception, match=r"wrong\.json"):
        ask(recipes, data)


def test_a_folder_without_recipes_is_refused(tmp_path: Path, data: Path) -> None:
    with pytest.raises(Exception, match="no recipe in it is active"):
        ask(tmp_path, data)
