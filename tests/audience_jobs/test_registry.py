"""The registry finds every job, and refuses all of them rather than leave out a broken one."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audience_jobs.contract import Audience, Column, Job
from audience_jobs.errors import BadWorkspace, UnknownJob
from audience_jobs.registry import all_jobs as jobs_of
from audience_jobs.workspace import Workspace
from local.sample import generate
from tests.audience_jobs.declared import check_columns, rows_as_declared
from tests.audience_jobs.examples import arguments_for
from tests.audience_jobs.marketplace import DuckDBEngine, all_jobs, find
from tests.audience_jobs.worlds import NOW, put

CLOCKS_AND_DICE = re.compile(
    r"\b(now\s*\(|today\s*\(|current_|localtime|random|uuid\s*\(|gen_random|clock_)", re.IGNORECASE
)
GOOD = """
from audience_jobs.contract import Audience, Column, Job
USER = (Column(name="user_id", type="text", meaning=""),)
JOB = Job(id="{id}", title="", layer=1, parameters=(), sql="",
          audiences=(Audience(name="a", columns=USER, meaning=""),))
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample world, in which every job finds somebody."""
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, users=2_000, seed=1, at=NOW)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., Workspace]:
    """Write a workspace that has these files in `jobs/`, `good__py` as `good.py`."""

    def write(**files: str) -> Workspace:
        (tmp_path / "tminus.toml").write_text('name = "small"\n')
        (tmp_path / "tables.toml").write_text('[users.columns]\nid = "id"\n')
        (tmp_path / "jobs").mkdir(exist_ok=True)
        for file, text in files.items():
            (tmp_path / "jobs" / file.replace("__", ".")).write_text(text)
        return Workspace(tmp_path)

    return write


def test_the_jobs_come_in_the_order_of_their_ids() -> None:
    assert [job.id for job in all_jobs()] == sorted(job.id for job in all_jobs())
    assert {"generate_layer_3_push_csvs", "generate_new_user_waterfall"} <= {job.id for job in all_jobs()}


def test_a_job_is_found_by_its_id_and_a_slip_is_answered_with_the_closest() -> None:
    assert find("generate_new_user_waterfall").layer == 5
    with pytest.raises(UnknownJob, match=r"'generate_layer_3_push'; did you mean 'generate_layer_3_push_csvs'\?"):
        find("generate_layer_3_push")


@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.id)
def test_no_job_asks_for_the_time_or_throws_dice(job: Job) -> None:
    for sql in (job.sql, *(check.failing_sql for check in job.checks)):
        assert not CLOCKS_AND_DICE.search(sql)


@pytest.mark.long
@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.id)
def test_every_job_yields_what_it_declares(job: Job, sample: Path) -> None:
    counts = rows_as_declared(DuckDBEngine(sample), job, arguments_for(job, sample), now=NOW)
    assert sum(counts.values()) > 0


@pytest.mark.long
@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.id)
def test_every_job_runs_without_users(job: Job, tmp_path: Path) -> None:
    put(tmp_path, {"products": [{"id": "p", "name": "Dunk"}]})
    counts = rows_as_declared(DuckDBEngine(tmp_path), job, arguments_for(job, tmp_path), now=NOW)
    assert set(counts.values()) == {0}


def test_what_a_job_declares_wrongly_is_found() -> None:
    declared = Audience(
        name="all",
        columns=(
            Column(name="user_id", type="text", meaning=""),
            Column(name="n", type="integer", meaning=""),
            Column(name="seen", type="timestamp", meaning=""),
        ),
        meaning="",
    )
    for header, row, complaint in (
        ("user_id,n", "u,1", "header"),
        ("user_id,n,seen", ",1,", "no user_id"),
        ("user_id,n,seen", "u,1.5,", "'n'"),
        ("user_id,n,seen", "u,,yesterday", "'seen'"),
    ):
        with pytest.raises(AssertionError, match=complaint):
            check_columns(declared, f"{header}\n{row}\n")
    check_columns(declared, "user_id,n,seen\nu,-1,2026-11-23T18:00:00Z\nw,,\n")


@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.id)
def test_every_job_explains_itself_to_a_marketer(job: Job) -> None:
    meanings = [parameter.meaning for parameter in job.parameters]
    meanings += [check.meaning for check in job.checks]
    for audience in job.audiences:
        meanings += [audience.meaning, *(column.meaning for column in audience.columns)]
    assert all(len(meaning.split()) >= 3 for meaning in meanings)


def test_listing_jobs_in_python_loads_neither_duckdb_nor_sqlglot() -> None:
    script = """
import sys
from audience_jobs.registry import all_jobs
from audience_jobs.workspace import marketplace
all_jobs(marketplace())
sys.exit("duckdb" in sys.modules or "sqlglot" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_files_without_a_job_are_passed_over_and_import_each_other(workspace: Callable[..., Workspace]) -> None:
    importing = f"from .words import ID\n{GOOD.format(id='x')}".replace('id="x"', "id=ID")
    small = workspace(b__py=GOOD.format(id="b"), a__py=importing, words__py="ID = 'z'", notes__txt="(", _old__py="(")
    assert [job.id for job in jobs_of(small)] == ["b", "z"]


def test_a_workspace_without_jobs_has_none_of_the_marketplace(workspace: Callable[..., Workspace]) -> None:
    small = workspace()
    assert jobs_of(small) == ()
    (small.folder / "jobs").rmdir()
    assert jobs_of(small) == ()


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(workspace: Callable[..., Workspace]) -> None:
    small = workspace(a__py=GOOD.format(id="a"), b__sql="SELECT id AS user_id FROM users")
    before = jobs_of(small)
    assert all(job is known for job, known in zip(jobs_of(small), before, strict=True))
    workspace(a__py=GOOD.format(id="other"), c__sql="SELECT id AS user_id FROM users LIMIT 1")
    after = jobs_of(small)
    assert [job.id for job in after] == ["b", "c", "other"]
    assert after[0] is before[1]
    (small.folder / "jobs" / "b.sql").unlink()
    (small.folder / "jobs" / "folder.sql").mkdir()
    assert [job.id for job in jobs_of(small)] == ["c", "other"]


def test_other_tables_are_other_jobs(workspace: Callable[..., Workspace]) -> None:
    small = workspace(a__sql="SELECT id AS user_id, nick FROM users")
    with pytest.raises(BadWorkspace, match="Column 'nick' could not be resolved"):
        jobs_of(small)
    (small.folder / "tables.toml").write_text('[users.columns]\nid = "id"\nnick = "text"\n')
    assert len(jobs_of(Workspace(small.folder))) == 1


BROKEN = [
    ("import re\nimport no_such_library", "2: does not load: ModuleNotFoundError: No module named 'no_such_library'"),
    ("x = 1\ndef (", "2: does not load: SyntaxError: "),
    ("JOB = 'a job'", "1: its JOB is a str, not a Job"),
    (
        GOOD.format(id="x").replace("user_id", "name"),
        "5: does not load: ValueError: audience 'a': its first column has",
    ),
    (re.sub(r"audiences=.*", "audiences=())", GOOD.format(id="x")), "4: does not load: ValueError: x declares no"),
    (GOOD.format(id="good"), "1: its id 'good' is already that of a_good.py: give it another"),
]


@pytest.mark.parametrize(("text", "complaint"), BROKEN, ids=[complaint for _, complaint in BROKEN])
def test_a_broken_job_is_an_error_that_names_file_and_line(
    workspace: Callable[..., Workspace], text: str, complaint: str
) -> None:
    small = workspace(a_good__py=GOOD.format(id="good"), broken__py=text)
    with pytest.raises(BadWorkspace) as refused:
        jobs_of(small)
    (problem,) = refused.value.problems
    assert problem.startswith(f"{small.folder}/jobs/broken.py:{complaint}")


def test_all_that_is_wrong_is_told_at_once(workspace: Callable[..., Workspace]) -> None:
    select = "SELECT id AS user_id FROM users"
    small = workspace(a__py="1/0", b__sql="SELECT 1", c__sql=select, c__py="", D__sql=select, e__SQL=select)
    (small.folder / "jobs" / "f-g.sql").write_text(select)
    with pytest.raises(BadWorkspace) as refused:
        jobs_of(small)
    name = "cannot be a job's name: write lower case letters, digits and _, a letter first"
    assert sorted(problem.removeprefix(f"{small.folder}/jobs/") for problem in refused.value.problems) == [
        f"D.sql:1: {name}",
        "a.py:1: does not load: ZeroDivisionError: division by zero",
        "b.sql:1: the SELECT yields 1 without a name: add AS and a name",
        "c.sql:1: c.py has the same name: rename one of them",
        f"e.SQL:1: {name}",
        f"f-g.sql:1: {name}",
    ]


def test_a_job_in_sql_and_one_in_python_cannot_have_one_id(workspace: Callable[..., Workspace]) -> None:
    small = workspace(b__py=GOOD.format(id="z"), z__sql="SELECT id AS user_id FROM users")
    with pytest.raises(BadWorkspace, match=r"z\.sql:1: its id 'z' is already that of b\.py: give it another"):
        jobs_of(small)


def test_importing_the_registry_loads_no_reader_of_files() -> None:
    measured = "import sys; sys.modules.pop('tomllib', None)"  # coverage, which reads its settings with it
    script = f"{measured}; from audience_jobs import registry; sys.exit('tomllib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
