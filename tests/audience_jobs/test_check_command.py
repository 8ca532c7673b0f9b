"""`tminus check` on a workspace with its data: what `run` and `recipes push` refuse, it names."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.audience_jobs.foreign import WORLDS, write_csv
from tests.command import Tminus, calling


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    monkeypatch.chdir(tmp_path)
    return calling(monkeypatch, capsys)


@pytest.fixture
def team(tminus: Tminus) -> Path:
    write_csv(WORLDS["news"](40, 1), Path("export"))
    assert tminus("init", "team", "--data", "export").status == 0
    return Path("team")


def test_two_recipes_with_one_id_are_a_problem(team: Path, tminus: Tminus) -> None:
    first, second = team / "recipes/hello.json", team / "recipes/second.json"
    recipe: dict[str, Any] = json.loads(first.read_text())
    second.write_text(json.dumps(recipe | {"id": "hello"}, indent=2))
    way_out = "give one of them another id, or remove it"
    checked = tminus("--workspace", "team", "check")
    assert (checked.status, checked.err.count("\n")) == (2, 2)
    assert f"recipes/hello.json:2: id: 'hello' is the id in {second} too: {way_out}" in checked.err
    assert f"recipes/second.json:2: id: 'hello' is the id in {first} too: {way_out}" in checked.err
    validated = tminus("--workspace", "team", "recipes", "validate", first, second)
    assert (validated.status, validated.err.count(way_out)) == (2, 2)
    assert tminus("--workspace", "team", "recipes", "validate", second).status == 0
