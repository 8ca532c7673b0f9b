"""Taking over the old system: what is created, what never sends, and what a second time does."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.recipe.status import Status
from functions.usecases.moving_in.migrate import (
    MigratedShown,
    MigrationStatus,
    OldDocument,
    migrate,
    migration_status,
)
from functions.usecases.recipes.save import pause_recipe
from tests.factories import TESTER, executions_of, old_push, recipe, user
from tests.functional.conftest import EARLIER, Lab
from tests.functional.crashes import Crash, CrashPoint

MakeLab = Callable[..., Lab]


def push(**changes: Any) -> dict[str, Any]:
    return old_push(**{"audienceCriteria": {"filters": {"minLifetimeTrades": 0}}, **changes})


def run(lab: Lab, *documents: Any, dry_run: bool = False) -> list[MigratedShown]:
    named = [OldDocument(name=f"{n}.json", content=document) for n, document in enumerate(documents)]
    return list(migrate(lab.ports, named, by="ann@example.com", dry_run=dry_run))


def outcomes(found: list[MigratedShown]) -> list[tuple[str, str, str]]:
    return [(each.outcome.value, each.recipe_id, each.status) for each in found]


def stored(lab: Lab) -> dict[str, str]:
    return {document["id"]: document["status"] for document in lab.ports.recipes.all()}


def jobs(lab: Lab) -> set[str]:
    return {job.name for job in lab.ports.schedules.all() if job.function == "launch"}


def test_pushes_and_recipes_are_taken_over_once(make_lab: MakeLab) -> None:
    lab = make_lab()
    documents = (push(), push(id="p2", status="sent"), recipe(id="daily"), recipe(id="off", status="inactive"))
    created = [
        ("created", "push-p1", "active"),
        ("created", "push-p2", "completed"),
        ("created", "daily", "active"),
        ("created", "off", "paused"),
    ]
    assert outcomes(run(lab, *documents, dry_run=True)) == created
    assert stored(lab) == {}
    assert outcomes(run(lab, *documents)) == created
    assert jobs(lab) == {"tminus-push-p1", "tminus-daily"}
    assert outcomes(run(lab, *documents)) == [("unchanged", *rest) for _, *rest in created]
    assert len(lab.ports.audit.of_recipe("daily", most=9)) == 1
    assert migration_status(lab.ports) == MigrationStatus(migrated=2, by_status={"active": 1, "completed": 1})


def test_a_push_is_sent_at_its_time_through_the_whole_timeline(make_lab: MakeLab) -> None:
    lab = make_lab(default_test_user_ids=(TESTER,))
    lab.write_users({"a": range(5)})
    lab.write_table("user_admin_informations", ("user_id", "freeze_reason"), [(user(3), "fraud")])
    criteria = {"filters": {}, "dataPacks": [], "manualUserIds": [user(1), user(2), user(3)]}
    run(lab, push(scheduledFor="2026-03-02T18:30:00Z", title="Hi [[var:firstName]]", audienceCriteria=criteria))
    lab.run_to_the_end()
    assert {(message["userId"], message["title"]) for message in lab.outbox(test=False)} == {
        (user(1), "Hi Name 1"),
        (user(2), "Hi Name 2"),
    }
    assert stored(lab) == {"push-p1": "completed"}


@pytest.mark.parametrize("changes", [{"status": "sent"}, {"scheduledFor": "2026-03-02T15:59:00Z"}])
def test_what_was_sent_or_has_passed_never_sends(make_lab: MakeLab, changes: dict[str, str]) -> None:
    lab = make_lab()
    run(lab, push(**{"scheduledFor": "2026-03-02T18:30:00Z", **changes}))
    lab.run_to_the_end()
    assert stored(lab) == {"push-p1": "completed"}
    assert lab.outbox() == []
    assert executions_of(lab.ports, "push-p1") == []


def test_what_people_have_made_of_a_recipe_since_stays(make_lab: MakeLab) -> None:
    lab = make_lab()
    run(lab, push(), recipe())
    pause_recipe(lab.ports, "push-p1", by="ann@example.com")
    assert outcomes(run(lab, push(title="Other"), recipe(name="Other"))) == [
        ("unchanged", "push-p1", "paused"),
        ("unchanged", "welcome", "active"),
    ]
    assert (lab.ports.recipes.get("welcome") or {})["name"] == "Welcome"


def test_each_document_is_judged_on_its_own_and_names_its_fields(make_lab: MakeLab) -> None:
    lab = make_lab()
    found = run(
        lab,
        push(title="[[vra:x]]", layerId=12, deepLink="ftp://x"),
        push(id="p2", audienceCriteria={}),
        "text",
        recipe(id="ok"),
        recipe(id="bad", schedule__timezone="Mars"),
        {"id": "x"},
    )
    assert [each.outcome.value for each in found] == [
        "refused",
        "refused",
        "refused",
        "created",
        "refused",
        "refused",
    ]
    assert [error.field for error in found[0].errors] == ["title", "layerId"]
    assert found[1].errors[0].field.startswith("audienceCriteria")
    assert "neither a recipe (pushSequence) nor a scheduled push" in found[2].errors[0].reason
    assert found[4].errors[0].field == "schedule.timezone"
    assert stored(lab) == {"ok": "active"}


def test_a_push_that_is_nearly_due_is_refused_unless_it_was_taken_over_before(make_lab: MakeLab) -> None:
    lab = make_lab()
    at = EARLIER + timedelta(minutes=9)
    [late] = run(lab, push(scheduledFor=f"{at:%Y-%m-%dT%H:%M:%SZ}"))
    assert [(error.field, "it is 9 minutes away" in error.reason) for error in late.errors] == [
        ("scheduledFor", True)
    ]
    later = push(scheduledFor=f"{at + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}")
    assert outcomes(run(lab, later)) == [("created", "push-p1", "active")]
    lab.clock.advance_to(at)
    assert outcomes(run(lab, later)) == [("unchanged", "push-p1", "active")]


def test_two_documents_of_one_id_do_not_replace_each_other(make_lab: MakeLab) -> None:
    lab = make_lab()
    found = run(lab, recipe(), recipe(), recipe(name="Other"))
    assert [each.outcome.value for each in found] == ["created", "unchanged", "refused"]
    lab.save(recipe(id="push-p1"))
    assert run(lab, push())[0].errors[0].field == "id"


def test_an_active_recipe_without_a_send_left_is_completed(make_lab: MakeLab) -> None:
    lab = make_lab()
    [done] = run(lab, recipe(schedule__frequency="once", schedule__startDate="2020-01-01"))
    assert (done.status, *done.notices) == ("completed", "it was active and has no send left: it is completed")


def test_a_recipe_that_would_be_blocked_for_want_of_test_users_says_so(make_lab: MakeLab) -> None:
    [made] = run(make_lab(), push(), dry_run=True)
    assert "settings.testUserIds: names no test user, so every send would be blocked" in made.notices[-1]
    [made] = run(make_lab(default_test_user_ids=(TESTER,)), push(), dry_run=True)
    assert made.notices == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(6))
def test_what_a_crash_left_out_is_taken_over_by_doing_it_again(make_lab: MakeLab, number: int, after: bool) -> None:
    documents = push(), recipe()
    lab = make_lab(wrap=CrashPoint(number, after=after).wrap)
    with pytest.raises(Crash):
        run(lab, *documents)
    lab.wrap = lambda ports: ports
    lab.restart()
    run(lab, *documents)
    assert stored(lab) == {"push-p1": Status.ACTIVE, "welcome": Status.ACTIVE}
    assert jobs(lab) == {"tminus-push-p1", "tminus-welcome"}
    assert len(lab.ports.audit.of_recipe("welcome", most=9)) == 1


def test_a_folder_is_taken_over_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from local.cli.main import main  # noqa: PLC0415

    folder = tmp_path / "old"
    (folder / "pushes").mkdir(parents=True)
    far = "2036-03-05T09:15:00Z"
    (folder / "pushes" / "all.json").write_text(json.dumps([push(scheduledFor=far), push(id="p2", status="sent")]))
    (folder / "broken.json").write_text('{"id": ')
    (folder / "latin.json").write_bytes(b'{"id": "\xe9"}')
    (folder / "notes.txt").write_text("not JSON")

    def tminus(*options: str) -> tuple[int, str, str]:
        command = ["tminus", "migrate", str(folder), "--state", str(tmp_path / "state"), *options]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    status, out, err = tminus()
    assert status == 2
    assert "pushes/all.json[0]: would be created: push-p1 is active" in out
    assert "4 documents: 2 created, 0 unchanged, 2 refused; nothing was changed, --apply does it" in out
    assert err.splitlines() == [
        "broken.json: line 1, column 8: Expecting value",
        "latin.json: byte 8 is not UTF-8; save the file as UTF-8",
    ]
    assert "2 created" in tminus("--apply")[1]
    again = json.loads(tminus("--apply", "--json")[1])
    assert [each["outcome"] for each in again["documents"]] == ["refused", "refused", "unchanged", "unchanged"]
