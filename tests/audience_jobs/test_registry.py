"""The registry finds every job, and refuses all of them rather than leave out a broken one."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audience_jobs.contract import Audience, Column, Job
from audience_jobs.errors import BadJob, UnknownJob
from audience_jobs.registry import all_jobs, find, jobs_in
from local.sample import generate
from tests.audience_jobs.declared import check_columns, rows_as_declared
from tests.audience_jobs.examples import arguments_for
from tests.audience_jobs.marketplace import DuckDBEngine
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
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write a package of these modules, ready to be imported, and give its name."""

    def write(**modules: str) -> str:
        name = f"jobs_of_{tmp_path.name}"
        (tmp_path / name).mkdir()
        for module, text in modules.items():
            (tmp_path / name / f"{module}.py").write_text(text)
        (tmp_path / name / "__init__.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
        return name

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


@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.id)
def test_every_job_yields_what_it_declares(job: Job, sample: Path) -> None:
    counts = rows_as_declared(DuckDBEngine(sample), job, arguments_for(job, sample), now=NOW)
    assert sum(counts.values()) > 0


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


def test_listing_the_jobs_does_not_load_duckdb() -> None:
    script = "import sys; from audience_jobs.registry import all_jobs; all_jobs(); sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_modules_without_a_job_are_passed_over(package: Callable[..., str]) -> None:
    name = package(b=GOOD.format(id="b"), a=GOOD.format(id="z"), words="WORDS = ['size']")
    assert [job.id for job in jobs_in(name)] == ["b", "z"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("import no_such_library", "does not load: ModuleNotFoundError: No module named 'no_such_library'"),
        ("def (", "does not load: SyntaxError"),
        ("JOB = 'a job'", "its JOB is a str, not a Job"),
        (GOOD.format(id="x").replace("user_id", "name"), "its first column has to be user_id"),
        (re.sub(r"audiences=.*", "audiences=())", GOOD.format(id="x")), "x declares no audience"),
        (GOOD.format(id="good"), "its id 'good' is already that of .*a_good.py"),
    ],
)
def test_a_broken_job_is_an_error_that_names_its_file(package: Callable[..., str], text: str, complaint: str) -> None:
    name = package(a_good=GOOD.format(id="good"), broken=text)
    with pytest.raises(BadJob, match=rf"broken\.py: .*{complaint}"):
        jobs_in(name)
