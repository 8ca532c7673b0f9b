"""The command line overwrites no other files, refuses a missing folder, and prints ids whole in a pipe."""

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audience_jobs.workspace import marketplace
from functions.domain.errors import BadTemplate
from functions.domain.push.links import LinkPolicy
from local.cli.options import RECIPES
from local.cli.remote import print_table
from local.sample import generate
from tests.command import Tminus, calling

pytestmark = pytest.mark.slow

LONG = "sneaker-reactivation-of-all-who-have-been-away-for-a-month_20260504T223000Z"
HISTORY = "user_id,layer,sent_at\n10000000-0000-4000-8000-000000000001,3,2026-05-04T18:00:00Z\n"


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    monkeypatch.chdir(tmp_path)
    return calling(monkeypatch, capsys)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, users=300, seed=5, at=datetime(2026, 5, 4, tzinfo=UTC))
    return folder


class TestSampleData:
    def test_a_folder_with_other_files_is_refused(self, tminus: Tminus, tmp_path: Path) -> None:
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / "users.csv").write_text("id\n1\n")
        answer = tminus("data", "generate", "own", "--users", 10)
        assert answer.status == 2
        assert answer.err.startswith("tminus: own holds users.csv, which tminus did not write")
        assert (tmp_path / "own" / "users.csv").read_text() == "id\n1\n"
        assert tminus("data", "generate", "own", "--users", 10, "--force").status == 0
        assert (tmp_path / "own" / "users.csv").read_text() != "id\n1\n"

    def test_its_own_files_are_written_again_until_one_is_changed(self, tminus: Tminus, tmp_path: Path) -> None:
        assert tminus("data", "generate", "made", "--users", 10).status == 0
        assert tminus("data", "generate", "made", "--users", 20).status == 0
        with (tmp_path / "made" / "offers.csv").open("a") as file:
            file.write("mine\n")
        answer = tminus("data", "generate", "made", "--users", 10)
        assert (answer.status, "holds offers.csv" in answer.err) == (2, True)


@pytest.mark.parametrize(
    "command",
    [
        ("up", "--recipes", "none", "--port", "0"),
        ("simulate", "--recipes", "none", "--data", "."),
        ("simulate", "--recipes", RECIPES, "--data", "none"),
        ("simulate", "--recipes", RECIPES, "--data", ".", "--compare", "none"),
        ("migrate", "none"),
        ("run", RECIPES / "sneaker-reactivation.json", "--data", "none"),
        ("jobs", "run", "generate_new_user_waterfall", "--data", "none"),
        ("jobs", "new", "quiet_users", "--folder", "none"),
        ("audience", "--filters", "{}", "--data", "none"),
        ("cadence", "user", "somebody", "--state", "none"),
        ("devices", "lift", "--user", "somebody", "--state", "none"),
        ("backup", "state.tar.gz", "--state", "none"),
        ("backup", "none/state.tar.gz", "--state", "none"),
        ("restore", "none"),
    ],
    ids=lambda command: " ".join(str(word) for word in command[:2]),
)
def test_a_folder_that_is_not_there_is_named(tminus: Tminus, tmp_path: Path, command: tuple[object, ...]) -> None:
    answer = tminus(*command)
    assert answer.status == 2
    assert "none" in answer.err.splitlines()[-1]
    assert not (tmp_path / "none").exists()


def test_a_folder_without_recipes_is_said(tminus: Tminus, sample: Path) -> None:
    answer = tminus("simulate", "--recipes", ".", "--data", sample)
    assert (answer.status, "no recipe in it is active" in answer.err) == (2, True)


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        ("jobs", "run", "generate_new_user_waterfall", "--out", "out"),
        ("audience", "--filters", "{}", "--out", "out"),
        ("audience", "--filters", "{}", "--parts", "2", "--out", "parts"),
        ("simulate", "--recipes", RECIPES, "--days", "1", "--html", "out/page.html"),
        ("--url", "http://127.0.0.1:9", "executions", "export", LONG, "--out", "out/page.html"),
    ],
    ids=lambda command: " ".join(str(word) for word in command[:2]),
)
def test_no_file_is_replaced_unasked(
    tminus: Tminus, tmp_path: Path, sample: Path, command: tuple[object, ...]
) -> None:
    names = ("no-shoes.csv", "default.csv", "page.html")
    (tmp_path / "out").mkdir()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "default-2-of-2.csv").write_text("mine")
    for name in names:
        (tmp_path / "out" / name).write_text("mine")
    given = command if "--url" in command else (*command, "--data", sample)
    answer = tminus(*given)
    assert (answer.status, "already exists" in answer.err, "--force" in answer.err) == (2, True, True)
    assert {(tmp_path / "out" / name).read_text() for name in names} == {"mine"}
    if "--url" not in command:
        assert tminus(*given, "--force").status == 0


def test_a_trial_leaves_no_state_behind(tminus: Tminus, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(HISTORY)
    assert tminus("cadence", "import", "history.csv", "--dry-run", "--state", "state").status == 0
    assert tminus("migrate", RECIPES, "--state", "state").status == 0
    assert not (tmp_path / "state").exists()


class TestMessages:
    def test_a_new_job_says_where_it_has_to_lie(self, tminus: Tminus) -> None:
        told = tminus("jobs", "new", "quiet_users", "--folder", ".").out.splitlines()[-1]
        folder = marketplace().folder / "jobs"
        assert told.startswith(f"once it is in {folder}, where Tminus looks, try it: tminus jobs run quiet_users")

    def test_a_rule_is_not_set_to_nothing(self, tminus: Tminus) -> None:
        answer = tminus("--url", "http://127.0.0.1:9", "cadence", "set", "layer_3_cooldown", "--yes")
        assert (answer.status, answer.err) == (2, "tminus: say what to change: --hours, --count, --on or --off\n")

    @pytest.mark.parametrize(
        ("link", "told"),
        [
            ("javascript:alert(1)", "javascript: is not among the allowed links: https, kicks"),
            ("mailto:somebody@example.com", "mailto: is not among the allowed links: https, kicks"),
            ("kicks:shoes", "'kicks:shoes' has no '//' after its scheme; write it as in kicks://workouts"),
            ("example.com:80/shoes", "has no scheme and host"),
            ("/shoes", "has no scheme and host"),
        ],
    )
    def test_a_link_without_a_page_says_why(self, link: str, told: str) -> None:
        with pytest.raises(BadTemplate, match=told.replace("(", r"\(")):
            LinkPolicy(allowed=("https", "kicks"))._check_origin(link)


def test_ids_stay_whole_in_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_table(["execution", "status", "what is possible"], [[LONG, "live", "emergency_stop, " * 9]])
    heading, line = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == [LONG, "live"]
    assert "\x1b" not in heading + line


@pytest.mark.long
def test_a_forecast_prints_names_whole_in_a_pipe(tminus: Tminus, tmp_path: Path, sample: Path) -> None:
    document = (RECIPES / "sneaker-reactivation.json").read_text()
    (tmp_path / "recipes").mkdir()
    long = "sneaker-reactivation-of-all-who-have-been-away"
    (tmp_path / "recipes" / "one.json").write_text(document.replace("sneaker-reactivation", long))
    told = tminus("simulate", "--recipes", "recipes", "--data", sample, "--days", 1, "--from", "2026-05-04T12:00:00Z")
    lines = [line.split() for line in told.out.splitlines() if long in line]
    assert len(lines) == 4
    assert all(long in line for line in lines)


class TestProgress:
    COMMANDS = (
        ("cadence", "import", "history.csv", "--state", "state"),
        ("simulate", "--recipes", RECIPES, "--data", "data", "--days", "1", "--from", "2026-05-04T12:00:00Z"),
        ("data", "generate", "made", "--users", "10"),
    )

    def stderr(self, folder: Path, sample: Path, *command: object, terminal: bool) -> str:
        (folder / "history.csv").write_text(HISTORY)
        if not (folder / "data").exists():
            (folder / "data").symlink_to(sample)
        words = [sys.executable, "-m", "local.cli.main", *map(str, command)]
        words[1:3] = ["-c", "from local.cli.start import main; main()"]
        environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2])}
        environment["WORKSPACE"] = str(marketplace().folder)
        if not terminal:
            return subprocess.run(
                words, cwd=folder, check=True, env=environment, capture_output=True, text=True
            ).stderr
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=theirs
        ) as process:
            os.close(theirs)
            told = b""
            try:
                while part := os.read(ours, 4096):
                    told += part
            except OSError:
                pass  # Linux says so that the other side is closed
        os.close(ours)
        assert process.returncode == 0
        return told.decode()

    @pytest.mark.long
    @pytest.mark.parametrize(
        "command",
        [COMMANDS[0], *(pytest.param(command, marks=pytest.mark.long) for command in COMMANDS[1:])],
        ids=lambda command: " ".join(map(str, command[:2])),
    )
    def test_it_shows_on_a_terminal_only(self, tmp_path: Path, sample: Path, command: tuple[object, ...]) -> None:
        assert "\x1b[" in self.stderr(tmp_path, sample, *command, terminal=True)
        assert "\x1b[" not in self.stderr(tmp_path, sample, *command, "--json", terminal=True)
        assert self.stderr(tmp_path, sample, *command, terminal=False) == ""


@pytest.mark.long
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(shell: str) -> None:
    words = [sys.executable, "-c", "from local.cli.start import main; main()"]
    asked = {"COMP_WORDS": "tminus back", "COMP_CWORD": "back" if shell == "fish" else "1"}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **asked}
    done = subprocess.run(
        words,
        check=True,
        env={**environment, "_TMINUS_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
    )
    assert "backup" in done.stdout
