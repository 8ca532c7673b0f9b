"""`tminus audience`, and the use case behind it."""

import csv
import json
from pathlib import Path

import pytest

from functions.domain.errors import BadInput, BadRecipe
from functions.usecases.dry_run.query_audience import query_audience
from tests.audience_jobs.marketplace import MARKETPLACE, DuckDBEngine
from tests.audience_jobs.test_jobs_command import AT, sample, tminus
from tests.audience_jobs.worlds import NOW
from tests.command import Tminus
from tests.factories import push, recipe

__all__ = ["sample", "tminus"]
ACTIVE = {"filters": {"lastActiveDays": 60}, "dataPacks": ["topTargetShoe"]}


def users_in(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["user_id"] for row in csv.DictReader(file)]


def test_a_query_answers_with_count_words_csv_and_equal_parts(sample: Path, tmp_path: Path) -> None:
    found = query_audience(DuckDBEngine(sample), ACTIVE, MARKETPLACE, now=NOW, folder=tmp_path, parts=3)
    assert found.description == "users active in the last 60 days, with a top target shoe"
    everybody = users_in(found.csv)
    assert found.count == len(everybody) > 100
    assert [user for part in found.parts for user in users_in(part.csv)] == everybody
    assert [part.count for part in found.parts] == [len(users_in(part.csv)) for part in found.parts]
    assert {part.csv.read_text().splitlines()[0] for part in found.parts} == {found.csv.read_text().splitlines()[0]}
    assert max(part.count for part in found.parts) - min(part.count for part in found.parts) <= 1


def test_a_query_that_is_wrong_names_its_field(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match=r"^filters\.lastActiveDays: must be a whole number"):
        query_audience(
            DuckDBEngine(sample), {"filters": {"lastActiveDays": "x"}}, MARKETPLACE, now=NOW, folder=tmp_path
        )
    with pytest.raises(BadInput, match="101 parts: an audience can be split into 1 to 100"):
        query_audience(DuckDBEngine(sample), ACTIVE, MARKETPLACE, now=NOW, folder=tmp_path, parts=101)


@pytest.mark.long
def test_the_command_shows_the_users_that_filters_find(tminus: Tminus, sample: Path, tmp_path: Path) -> None:
    find = ("audience", "--filters", '{"lastActiveDays": 60}', "--data", sample, "--at", AT)
    answer = tminus(*find, "--pack", "topTargetShoe", "--preview", 2, "--parts", 2, "--out", tmp_path)
    lines = answer.out.splitlines()
    assert answer.status == 0
    assert lines[0].endswith(" users: users active in the last 60 days, with a top target shoe")
    assert lines[1].split()[:3] == ["user_id", "username", "firstName"]
    assert len(lines) == 1 + 3 + 2
    assert lines[2].split()[0] == users_in(tmp_path / "audience-1-of-2.csv")[0]
    asked = json.loads(tminus(*find, "--json").out)
    assert (asked["description"], len(asked["rows"])) == ("users active in the last 60 days", 5)
    assert asked["count"] > len(users_in(tmp_path / "audience.csv"))


def test_the_command_reads_ids_and_a_query_from_files(tminus: Tminus, sample: Path, tmp_path: Path) -> None:
    ids, query = tmp_path / "ids.txt", tmp_path / "query.sql"
    ids.write_text("\n".join(users_in_table(sample)[:40]))
    query.write_text("SELECT id AS user_id, bio FROM users WHERE bio <> '' -- no more")
    answer = json.loads(
        tminus("audience", "--ids", ids, "--query", query, "--data", sample, "--at", AT, "--json").out
    )
    assert answer["description"] == "users among 40 given user ids, found by the recipe's own query"
    assert 0 < answer["count"] < 40
    assert answer["columns"] == ["user_id", "bio"]


def users_in_table(sample: Path) -> list[str]:
    with (sample / "users.csv").open(encoding="utf-8", newline="") as file:
        return [row["id"] for row in csv.DictReader(file)]


def test_the_command_shows_the_users_of_a_recipe(tminus: Tminus, sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe(audienceCriteria=ACTIVE, pushSequence=[push(1, title="t", body="b")])))
    answer = tminus("audience", "--recipe", path, "--data", sample, "--at", AT)
    assert "users active in the last 60 days, with a top target shoe" in answer.out
    valid = tminus("recipes", "validate", path)
    assert "for users active in the last 60 days, with a top target shoe" in valid.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "say what to find: --recipe FILE, or --filters JSON"),
        (["--filters", "{"], "--filters is not JSON"),
        (["--filters", '{"a": 1, "a": 2}'], '--filters: the key "a" is there twice'),
        (["--filters", '{"lastActiveDay": 1}'], "filters.lastActiveDay: is an unknown filter; did you mean"),
        (["--pack", "shoes"], "dataPacks: names"),
        (["--filters", "{}", "--parts", "2"], "--parts: give a folder for the parts with --out"),
    ],
)
def test_what_the_command_cannot_take_is_refused_in_one_line(
    tminus: Tminus, sample: Path, arguments: list[str], told: str
) -> None:
    answer = tminus("audience", *arguments, "--data", sample)
    assert answer.status == 2
    assert told in answer.err
    assert len(answer.err.splitlines()) == 1


def test_a_recipe_with_a_script_is_for_another_command(tminus: Tminus, sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe()))
    assert "try tminus jobs run everybody" in tminus("audience", "--recipe", path, "--data", sample).err
