"""`tminus jobs new` and `tminus jobs run`."""

import json
from pathlib import Path
from shutil import copytree

import pytest

from audience_jobs.registry import all_jobs
from audience_jobs.workspace import Workspace
from functions.domain.errors import BadInput
from local.cli.jobs_new import write_job
from local.sample import generate
from tests.audience_jobs.declared import rows_as_declared
from tests.audience_jobs.examples import first_product
from tests.audience_jobs.fitness import fitness
from tests.audience_jobs.marketplace import MARKETPLACE, DuckDBEngine
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
def market(tmp_path: Path) -> Workspace:
    """A workspace over the tables of the marketplace, without jobs."""
    copytree(MARKETPLACE.folder / "templates", tmp_path / "market" / "templates")
    for name in ("tminus.toml", "tables.toml"):
        (tmp_path / "market" / name).write_bytes((MARKETPLACE.folder / name).read_bytes())
    return Workspace(tmp_path / "market")


@pytest.mark.long
@pytest.mark.parametrize("options", [(), ("--python",)], ids=["sql", "python"])
def test_a_new_job_works_as_it_is_written(
    options: tuple[str, ...], tminus: Tminus, sample: Path, market: Workspace
) -> None:
    answer = tminus("--workspace", market.folder, "jobs", "new", "my_new_users", *options)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.splitlines()[1] == "try it: tminus jobs run my_new_users --data DIR --preview 20"
    (file,) = (market.folder / "jobs").iterdir()
    assert file.name == ("my_new_users.py" if options else "my_new_users.sql")
    (job,) = all_jobs(market)
    assert job.id == "my_new_users"
    assert rows_as_declared(DuckDBEngine(sample), job, {}, now=NOW)["my_new_users"] > 0
    ran = tminus("--workspace", market.folder, "jobs", "run", "my_new_users", "--data", sample, "--at", AT, "--json")
    assert ran.report["audiences"][0]["users"] > 0


def test_a_new_job_reads_the_tables_of_the_workspace(tminus: Tminus, tmp_path: Path) -> None:
    shop = fitness(tmp_path / "fitness", devices=True)
    for name, option in (("in_sql", ()), ("in_python", ("--python",))):
        assert tminus("--workspace", shop.folder, "jobs", "new", name, *option).status == 0
        run = ("jobs", "run", name, "--data", shop.folder / "data", "--at", AT, "--json")
        ran = tminus("--workspace", shop.folder, *run)
        assert ran.report["audiences"][0]["rows"] == [["30", "Zoë", "Zoë"]], ran.err


@pytest.mark.parametrize(
    ("tables", "select"),
    [
        ('[players.columns]\nplayer = "id"\nnick = "text"', "SELECT player AS user_id, nick\nFROM players\n"),
        ('[order.columns]\nuser_id = "id"\ngroup = "text"', 'SELECT user_id, "group"\nFROM "order"\n'),
        (
            '[a.columns]\nid = "id"\n[Users.columns]\nId = "id"\ndeleted_at = "timestamp"',
            "SELECT id AS user_id\nFROM users\nWHERE deleted_at IS NULL\n",
        ),
    ],
)
def test_an_example_is_over_what_looks_like_users(tables: str, select: str, tmp_path: Path) -> None:
    (tmp_path / "tminus.toml").write_text('name = "small"')
    (tmp_path / "tables.toml").write_text(tables)
    small = Workspace(tmp_path)
    assert write_job("mine", small).read_text().endswith(select)
    write_job("mine_too", small, python=True)
    assert [job.id for job in all_jobs(small)] == ["mine", "mine_too"]


def test_without_a_table_of_users_there_is_no_example(tmp_path: Path) -> None:
    (tmp_path / "tminus.toml").write_text('name = "small"')
    (tmp_path / "tables.toml").write_text('[devices.columns]\nuser_id = "id"\n[words.columns]\nword = "text"')
    with pytest.raises(BadInput, match=r"no table of tables\.toml has a public column of users' ids"):
        write_job("mine", Workspace(tmp_path))
    assert not (tmp_path / "jobs").exists()


@pytest.mark.parametrize("options", [(), ("--python",)], ids=["sql", "python"])
@pytest.mark.parametrize("name", ["mine.py", "mine.sql"])
def test_a_new_job_does_not_replace_another(
    name: str, options: tuple[str, ...], tminus: Tminus, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("precious")
    answer = tminus("jobs", "new", "mine", "--folder", tmp_path, *options)
    assert (answer.status, [file.name for file in tmp_path.iterdir()]) == (2, [name])
    assert f"{name} already exists: choose another name" in answer.err


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


@pytest.mark.long
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
