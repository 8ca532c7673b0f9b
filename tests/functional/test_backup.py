"""A backup is taken while everything runs; after a restore no user gets a push twice, and every receipt adds up."""

import csv
import json
import signal
import stat
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from functions.domain.execution.execution import State
from functions.domain.ids import execution_id
from functions.usecases.recipes.save import pause_recipe, resume_recipe
from functions.usecases.timeline.control import cancel, stop_all
from local.cli.main import cli
from local.runtime.backup import back_up
from local.runtime.state_lock import INTERRUPTED, locked
from local.sample import generate
from tests.factories import executions_of, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab
from tests.functional.running_up import EXECUTION, Up, messages, wait_until, write_recipe

pytestmark = pytest.mark.slow

TOMORROW = SEND_AT + timedelta(days=1)
LAYER_3 = {"pushSequence": [{**recipe()["pushSequence"][0], "layerId": 3}]}


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def restore(lab: Lab, file: Path, at: datetime, *options: str) -> dict[str, Any]:
    """Put a backup back as an operator does, in place of all that has happened since, and start again."""
    lab.close()
    command = ["restore", str(file), "--state", str(lab.state), "--at", at.isoformat(), "--force", "--json", *options]
    answer = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    lab.clock.advance_to(max(at, lab.clock.now()))
    lab.open()
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


def receipt(lab: Lab, execution: str = "") -> Counter[tuple[str, str]]:
    with (lab.state / "receipts" / f"{execution or lab.id}.csv").open() as file:
        return Counter((row["push"], row["outcome"]) for row in csv.DictReader(file))


def all_messages(lab: Lab, told: dict[str, Any]) -> list[dict[str, Any]]:
    """Every message that has left: by the state that was given up, and by the restored one."""
    gone = [json.loads(line) for line in (Path(told["replaced"]) / "outbox.jsonl").read_text().splitlines()]
    kept = lab.outbox()
    return gone + [message for message in kept if message not in gone]


def nobody_got_it_twice(lab: Lab, told: dict[str, Any]) -> bool:
    left = all_messages(lab, told)
    return max(Counter((m["executionId"], m["push"], m["token"], m["test"]) for m in left).values()) == 1


@pytest.mark.parametrize(
    "taken",
    [minutes(-2), minutes(1), *(pytest.param(minutes(each), marks=pytest.mark.long) for each in (-29, -20, 3))],
)
def test_a_send_since_the_backup_is_not_repeated_after_the_restore(
    lab: Lab, tmp_path: Path, taken: timedelta
) -> None:
    lab.run_to(SEND_AT + taken)
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    lab.run_to(SEND_AT + minutes(5))
    sent = len(lab.outbox(test=False))
    assert sent == 9

    told = restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(5))
    lab.run_to(TOMORROW - minutes(31))

    assert nobody_got_it_twice(lab, told)
    assert len([m for m in all_messages(lab, told) if not m["test"]]) == sent
    lab.assert_contract()
    execution = lab.execution()
    assert (execution.state, execution.cleaned) == (State.STOPPED, True)
    assert f"restored from a backup of {SEND_AT + taken:%Y-%m-%d %H:%M:%S} UTC" in execution.reason
    assert lab.violations() == ["restored"]
    before = len(lab.outbox(test=False))
    assert told["stopped"][0]["executionId"] == lab.id
    totals = lab.report()["totals"]
    assert (totals["sent"], totals["unknown"], totals["notReached"]) == (before, 9 - before, 0)
    assert sum(receipt(lab).values()) == 9
    assert sum(count for (_, outcome), count in receipt(lab).items() if outcome == "unknown") == 9 - before


def test_a_recurring_recipe_goes_on_with_its_next_send(lab: Lab, tmp_path: Path) -> None:
    lab.run_to(SEND_AT - minutes(2))
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(5))
    lab.run_to(TOMORROW + timedelta(hours=1))
    assert lab.execution(execution_id("welcome", TOMORROW)).state is State.COMPLETED
    assert len(lab.outbox(test=False)) == 9


@pytest.mark.long
def test_a_send_that_began_after_the_backup_does_not_start_late(lab: Lab, tmp_path: Path) -> None:
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    lab.run_to(SEND_AT + minutes(5))
    told = restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(5))
    lab.run_to(TOMORROW - minutes(31))
    assert lab.outbox() == []
    assert lab.execution().state is State.STOPPED
    assert [entry["executionId"] for entry in told["stopped"]] == [lab.id]


def test_all_sends_since_a_backup_of_three_days_ago_are_on_record(lab: Lab, tmp_path: Path) -> None:
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    told = restore(lab, tmp_path / "state.tar.gz", SEND_AT + timedelta(days=3, minutes=5))
    assert [entry["sendAt"][:10] for entry in told["stopped"]] == [f"2026-03-0{day}" for day in (2, 3, 4, 5)]
    assert all(execution.cleaned for execution in executions_of(lab.ports, "welcome"))


@pytest.mark.long
def test_a_send_that_was_cancelled_after_the_backup_does_not_go_out(lab: Lab, tmp_path: Path) -> None:
    lab.run_to(SEND_AT - minutes(20))
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    cancel(lab.ports, lab.id, "the offer is wrong")
    restore(lab, tmp_path / "state.tar.gz", SEND_AT - minutes(10))
    lab.run_to(TOMORROW - minutes(31))
    assert lab.outbox(test=False) == []
    totals = lab.report()["totals"]
    assert (totals["unknown"], totals["notReached"]) == (0, 9)


@pytest.mark.long
def test_a_push_that_was_not_due_at_the_restore_is_not_reached(lab: Lab, tmp_path: Path) -> None:
    lab.run_to(SEND_AT - minutes(2))
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(1))
    lab.run_to(TOMORROW - minutes(31))
    pushes = lab.report()["pushes"]
    assert [(push["unknown"], push["notReached"]) for push in pushes] == [(4, 0), (0, 3), (0, 2)]


@pytest.mark.long
def test_the_ledger_counts_those_who_may_have_got_it(make_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = make_lab()
    lab.save(recipe(**LAYER_3))
    lab.run_to(SEND_AT - minutes(2))
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(5))
    lab.run_to(TOMORROW + timedelta(hours=1))
    [push] = lab.report(execution_id("welcome", TOMORROW))["pushes"]
    assert (push["sent"], push["excluded"]) == (0, {"layer_3_cooldown": 4})


@pytest.mark.long
def test_what_was_due_is_sent_with_send_due(lab: Lab, tmp_path: Path) -> None:
    lab.run_to(SEND_AT - minutes(2))
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    told = restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(5), "--send-due")
    lab.run_to(SEND_AT + timedelta(hours=2))
    assert told["stopped"] == []
    assert (lab.execution().state, len(lab.outbox(test=False))) == (State.COMPLETED, 9)


@pytest.mark.long
def test_what_may_have_gone_out_is_not_started_by_hand_today(lab: Lab, tmp_path: Path) -> None:
    lab.run_to(SEND_AT - minutes(2))
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(5))
    assert lab.execution().went_live


class TestFiles:
    def test_restoring_refuses_a_state_that_is_there_or_in_use(self, lab: Lab, tmp_path: Path) -> None:
        file, state = tmp_path / "state.tar.gz", str(lab.state)
        back_up(lab.state, file, START_AT)
        lab.close()
        answer = CliRunner().invoke(cli, ["restore", str(file), "--state", state])
        assert "--force replaces it" in str(answer.exception)
        with locked(lab.state):
            answer = CliRunner().invoke(cli, ["restore", str(file), "--state", state, "--force"])
        assert "in use by another tminus" in str(answer.exception)
        assert (lab.state / "tminus.db").exists()

    def test_a_restore_into_a_new_folder_keeps_everything(self, lab: Lab, tmp_path: Path) -> None:
        lab.run_to_the_end()
        back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
        kept, rows = lab.report(), (lab.state / "outbox.jsonl").read_text()
        lab.close()
        lab.state = tmp_path / "new"
        told = CliRunner().invoke(
            cli,
            [
                "restore",
                str(tmp_path / "state.tar.gz"),
                "--state",
                str(lab.state),
                "--at",
                lab.clock.now().isoformat(),
            ],
        )
        assert told.exit_code == 0, told.output
        lab.open()
        assert (lab.report(), (lab.state / "outbox.jsonl").read_text()) == (kept, rows)
        names = {path.name for path in lab.state.iterdir()}
        assert names >= {"tminus.db", "outbox.jsonl", "audiences", "receipts"}

    def test_a_backup_is_for_its_owner_only_and_replaces_no_file_unasked(self, lab: Lab, tmp_path: Path) -> None:
        file = tmp_path / "state.tar.gz"
        file.write_text("somebody's")
        answer = CliRunner().invoke(cli, ["backup", str(file), "--state", str(lab.state)])
        assert "--force to replace it" in str(answer.exception)
        assert file.read_text() == "somebody's"
        answer = CliRunner().invoke(cli, ["backup", str(file), "--state", str(lab.state), "--force", "--json"])
        assert json.loads(answer.stdout)["bytes"] == file.stat().st_size
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["state.tar.gz"]

    @pytest.mark.parametrize("damage", ["cut", "text", "another archive", "leaves the folder", "a link"])
    def test_a_damaged_backup_changes_nothing(self, lab: Lab, tmp_path: Path, damage: str) -> None:
        file = tmp_path / "state.tar.gz"
        back_up(lab.state, file, START_AT)
        lab.close()
        if damage == "cut":
            file.write_bytes(file.read_bytes()[:-500])
        elif damage == "text":
            file.write_text("text")
        else:
            with tarfile.open(file, "w:gz") as tar:
                entry = tarfile.TarInfo("../outside")
                if damage == "a link":
                    entry = tarfile.TarInfo("tminus.db")
                    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
                if damage != "another archive":
                    tar.addfile(entry)
                tar.add(lab.data, "data")
        command = ["restore", str(file), "--state", str(lab.state), "--force"]
        answer = CliRunner().invoke(cli, command)
        assert str(answer.exception).startswith(f"{file}: not a backup of tminus")
        assert {path.name for path in lab.state.iterdir()} == {"tminus.db", "outbox.jsonl", ".lock"}

    def test_nothing_starts_on_a_half_restored_folder(self, lab: Lab, tmp_path: Path) -> None:
        back_up(lab.state, tmp_path / "state.tar.gz", START_AT)
        lab.close()
        (lab.state / INTERRUPTED).touch()
        answer = CliRunner().invoke(cli, ["up", "--state", str(lab.state), "--data", str(lab.data), "--port", "0"])
        assert "a restore was interrupted; repeat it" in str(answer.exception)
        restore(lab, tmp_path / "state.tar.gz", START_AT)
        assert not (lab.state / INTERRUPTED).exists()

    def test_no_state_is_said_so(self, tmp_path: Path) -> None:
        answer = CliRunner().invoke(cli, ["backup", str(tmp_path / "b.tar.gz"), "--state", str(tmp_path / "none")])
        assert "no Tminus state is there" in str(answer.exception)
        assert list(tmp_path.iterdir()) == []


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    write_recipe(tmp_path)
    generate(tmp_path / "data", users=1500, seed=5, at=datetime(2026, 5, 4, tzinfo=UTC))
    running = Up(tmp_path, first=True)
    yield running
    if running.runs:
        running.end(signal.SIGKILL)


@pytest.mark.long
def test_backups_while_up_sends_are_each_consistent(up: Up, tmp_path: Path) -> None:
    files: list[Path] = []

    def finished() -> bool:
        files.append(tmp_path / f"{len(files)}.tar.gz")
        back_up(tmp_path / "state", files[-1], datetime.now(UTC))
        return not up.overview()["executions"] and len(files) > 3

    wait_until(lambda: bool(messages(tmp_path, test=False)))
    wait_until(finished)
    assert up.end(signal.SIGTERM) == 0
    gone = messages(tmp_path, test=False)
    for number, file in enumerate(files[:: max(1, len(files) // 6)]):
        state = tmp_path / f"restored-{number}"
        told = CliRunner().invoke(
            cli, ["restore", str(file), "--state", str(state), "--json"], catch_exceptions=False
        )
        stopped = json.loads(told.stdout)["stopped"]
        left = len(messages(tmp_path, test=False, state=state.name))
        for execution in stopped:
            totals = execution["totals"]
            assert totals["sent"] <= left <= totals["sent"] + totals["unknown"]
            assert totals["audienceSize"] == totals["sent"] + totals["failed"] + totals["unknown"] + totals[
                "notReached"
            ] + sum(totals["excluded"].values())
        assert messages(tmp_path, test=False, state=state.name) == gone[:left]


@pytest.mark.long
def test_the_way_out_for_firestore_sends_nothing_twice(lab: Lab, tmp_path: Path) -> None:
    lab.run_to(SEND_AT - minutes(2))
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    lab.run_to(SEND_AT + minutes(5))
    told = restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(5), "--send-due")  # as a recovered database is
    stop_all(lab.ports, "restored")
    pause_recipe(lab.ports, "welcome", by="cli")
    resume_recipe(lab.ports, "welcome", by="cli")
    lab.run_to(TOMORROW + timedelta(hours=1))
    assert nobody_got_it_twice(lab, told)
    assert lab.execution(execution_id("welcome", TOMORROW)).state is State.COMPLETED


@pytest.mark.long
def test_up_sends_nothing_again_on_a_restored_state(up: Up, tmp_path: Path) -> None:
    wait_until(lambda: [each["status"] for each in up.overview()["executions"]] == ["tested"])
    back_up(tmp_path / "state", tmp_path / "state.tar.gz", datetime.now(UTC))
    wait_until(lambda: bool(messages(tmp_path, test=False)) and not up.overview()["executions"])
    assert up.end(signal.SIGTERM) == 0
    stopped_at = json.loads((tmp_path / "state" / "clock.json").read_text())["now"]

    command = ["restore", str(tmp_path / "state.tar.gz"), "--state", str(tmp_path / "state"), "--force", "--json"]
    told = json.loads(CliRunner().invoke(cli, command, catch_exceptions=False).stdout)
    again = Up(tmp_path, first=False)
    try:
        wait_until(lambda: again.overview()["now"] > f"{datetime.fromisoformat(stopped_at) + minutes(10)}")
    finally:
        assert again.end(signal.SIGTERM) == 0

    assert [entry["executionId"] for entry in told["stopped"]] == [EXECUTION]
    assert datetime.fromisoformat(told["restoredAt"]) >= datetime.fromisoformat(stopped_at)
    assert told["stopped"][0]["totals"]["unknown"] == len(messages(tmp_path, test=False, state=told["replaced"]))
    assert messages(tmp_path, test=False) == []


@pytest.mark.long
def test_a_send_that_a_restore_has_stopped_sends_an_alert(lab: Lab, tmp_path: Path) -> None:
    lab.run_to(SEND_AT - minutes(2))
    back_up(lab.state, tmp_path / "state.tar.gz", lab.clock.now())
    restore(lab, tmp_path / "state.tar.gz", SEND_AT + minutes(5))
    alerts = [json.loads(line) for line in (lab.state / "alerts.jsonl").read_text().splitlines()]
    [told] = [alert for alert in alerts if "restored from a backup" in alert["message"]]
    assert (told["kind"], told["executionId"]) == ("restored", lab.id)
