"""`tminus jobs new` and `tminus jobs run`."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audience_jobs.contract import Job
from audience_jobs.registry import jobs_in
from local.sample import generate
from tests.audience_jobs.declared import rows_as_declared
from tests.audience_jobs.examples import first_product
from tests.audience_jobs.marketplace import DuckDBEngine, read_query
from tests.audience_jobs.worlds import NOW, hours_ago, put, user
from tests.command import Tminus, calling

AT = "2026-11-23T18:00:00Z"
WATERFALL = "generate_new_user_waterfall"


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tminus:
    return calling(monkeypatch, capsys)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, users=2_000, seed=1, at=NOW)
    return folder


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Job]:
    """Load what is in the folder `fresh_jobs` as the registry does."""
    (tmp_path / "fresh_jobs").mkdir()
    (tmp_path / "fresh_jobs" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def load() -> Job:
        for name in [name for name in sys.modules if name.split(".")[0] == "fresh_jobs"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        jobs_in.cache_clear()
        (job,) = jobs_in("fresh_jobs")
        return job

    return load


def test_a_new_job_works_as_it_is_written(
    tminus: Tminus, tmp_path: Path, sample: Path, loaded: Callable[[], Job]
) -> None:
    answer = tminus("jobs", "new", "my_quiet_users", "--folder", tmp_path / "fresh_jobs")
    assert answer.status == 0
    assert "tminus jobs run my_quiet_users --data DIR --preview 20" in answer.out
    job = loaded()
    assert job.id == "my_quiet_users"
    assert read_query(job.sql, parameters=["now", "quiet_days"]).sql("postgres")
    assert rows_as_declared(DuckDBEngine(sample), job, {}, now=NOW)["quiet-users"] > 0


def test_a_new_job_does_not_replace_another(tminus: Tminus, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("precious")
    answer = tminus("jobs", "new", "mine", "--folder", tmp_path)
    assert (answer.status, (tmp_path / "mine.py").read_text()) == (2, "precious")
    assert "already exists: choose another name" in answer.err


@pytest.mark.parametrize("name", ["My-Job", "../escape", "1st", "a b", ""])
def test_a_name_that_no_module_can_have_is_refused(tminus: Tminus, tmp_path: Path, name: str) -> None:
    answer = tminus("jobs", "new", name, "--folder", tmp_path)
    assert answer.status == 2
    assert "cannot be a job's name" in answer.err


def test_a_run_shows_counts_and_rows(tminus: Tminus, sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    answer = tminus("jobs", "run", WATERFALL, "--data", sample, "--at", AT, "--preview", 2, "--out", out)
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert lines[0].startswith("no-shoes: ")
    assert lines[1].split() == ["user_id", "username", "firstName", "new_user_level"]
    assert len(lines) == 5 * 4
    kept = (out / "no-shoes.csv").read_text().splitlines()
    assert lines[0] == f"no-shoes: {len(kept) - 1:,} users"
    assert lines[2].split()[0] == kept[1].split(",")[0]


def test_a_run_takes_the_jobs_parameters_as_they_are_typed(tminus: Tminus, sample: Path) -> None:
    run = ("jobs", "run", WATERFALL, "--data", sample, "--at", AT, "--json")
    usual = json.loads(tminus(*run).out)
    strict = json.loads(tminus(*run, "--param", "require_avatar=true", "--param", "max_days=10").out)
    counts = [sum(audience["users"] for audience in answer["audiences"]) for answer in (usual, strict)]
    assert counts[0] > counts[1] > 0
    showcase = ("jobs", "run", "generate_showcase_push_csvs", "--data", sample, "--at", AT, "--json")
    answer = json.loads(tminus(*showcase, "--param", f"product_id={first_product(sample)}").out)
    assert [audience["name"] for audience in answer["audiences"]] == ["haves", "wants", "everybody-else"]
    assert all(len(audience["rows"]) <= 5 for audience in answer["audiences"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--param", "max_days"], "'max_days': write NAME=VALUE"),
        (["--param", "max_days=x"], "'x' is not a whole number"),
        (["--param", "max_days=1000"], "give a whole number from 1 up to 365"),
        (["--param", "require_avatar=1"], "'1' is neither true nor false"),
        (["--param", "nonsense=1"], "'nonsense' is unknown"),
        (["--param", "max_days=1", "--param", "max_days=2"], "max_days is given twice"),
        (["--at", "today"], "write an instant with its zone"),
    ],
)
def test_what_a_run_cannot_take_is_refused_in_one_line(
    tminus: Tminus, sample: Path, arguments: list[str], complaint: str
) -> None:
    answer = tminus("jobs", "run", WATERFALL, "--data", sample, *arguments)
    assert answer.status == 2
    assert complaint in answer.err
    assert len(answer.err.splitlines()) == 1


def test_an_unknown_job_and_missing_data_are_named(tminus: Tminus, tmp_path: Path) -> None:
    assert "did you mean 'generate_new_user_waterfall'" in tminus("jobs", "run", f"{WATERFALL}s").err
    answer = tminus("jobs", "run", WATERFALL, "--data", tmp_path / "nowhere", "--at", AT)
    assert (answer.status, "does not exist" in answer.err) == (2, True)


def test_a_name_cannot_move_the_terminals_cursor(tminus: Tminus, tmp_path: Path) -> None:
    put(tmp_path, {"users": [user("ann", first_name="\x1b[2J\nAnn", created_at=hours_ago(24))]})
    answer = tminus("jobs", "run", WATERFALL, "--data", tmp_path, "--at", AT)
    assert "\x1b" not in answer.out
    assert "?[2J?Ann" in answer.out
