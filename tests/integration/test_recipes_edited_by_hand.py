"""People edit recipes in Firestore's console, with everything that only the console can enter; schedules follow."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore

from functions import bootstrap
from functions.domain.alerts.alert import Alert
from functions.ports import Ports
from functions.ports.queue import ScheduledJob
from functions.settings import Platform, Settings
from functions.usecases.timeline.launch import launch
from functions.usecases.timeline.reconcile import reconcile
from local.embedded.clock import VirtualClock
from local.embedded.outbox import OutboxSender, OutcomeScript
from tests.factories import executions_of, push, recipe
from tests.google_cloud import cloud_project

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
START_AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
CREATED = "created the schedule tminus-welcome: 0 18 * * * in UTC"
DELETED = "deleted the schedule tminus-welcome: no active recipe has it"
Edit = Callable[[Any], dict[str, Any]]


class Team:
    """A project whose recipes people edit in `console`, past Tminus; `ports` are what its functions have."""

    def __init__(self, ports: Ports, clock: VirtualClock, console: Any) -> None:
        self.ports, self.clock, self.console = ports, clock, console

    def write(self, name: str = "welcome", **changes: Any) -> None:
        """Write a recipe by hand; its fields are named as `schedule__executionTime`."""
        self.console.collection("recipes").document(name).set(recipe(updatedAt=NOON, **changes))

    def edit(self, change: Mapping[str, Any], name: str = "welcome") -> None:
        self.console.collection("recipes").document(name).update(dict(change))

    def jobs(self) -> list[ScheduledJob]:
        return list(self.ports.schedules.all())

    def drift(self) -> tuple[str, ...]:
        return reconcile(self.ports).sentences


@pytest.fixture
def team(emulators: Mapping[str, str], tmp_path: Path) -> Iterator[Team]:
    assert emulators
    clock = VirtualClock(NOON)
    with cloud_project(tmp_path, clock) as (_, cloud):
        settings = Settings(platform=Platform.GOOGLE_CLOUD, cloud=cloud, user_data_dir=tmp_path)
        sender = OutboxSender(tmp_path / "unused.jsonl", clock, OutcomeScript())
        with closing(firestore.Client(project=cloud.project)) as console:
            yield Team(bootstrap.google_cloud(settings, clock, sender), clock, console)


def job(name: str = "welcome", cron: str = "0 18 * * *", zone: str = "UTC") -> ScheduledJob:
    return ScheduledJob(name=f"tminus-{name}", cron=cron, zone=zone, function="launch", body={"recipeId": name})


def test_a_recipe_that_was_written_by_hand_has_its_schedule_after_the_next_reconcile(team: Team) -> None:
    team.write()
    assert team.drift() == (CREATED,)
    assert team.jobs() == [job()]
    assert team.drift() == ()


@pytest.mark.parametrize(
    "extra",
    [
        {"createdAt": NOON, "startedBy": NOON + timedelta(microseconds=1)},
        {"place": firestore.GeoPoint(52.5, 13.4), "picture": b"\x00\xff", "ratio": float("nan")},
        {"notes": {"nested": [{"deep": {"er": [None, True, -1.5]}}]}, "with.dots and `ticks`": 1},
        {"_writers": "a person's own", "_writer": 7},
    ],
    ids=["timestamps", "places", "nested", "ours"],
)
def test_fields_that_tminus_does_not_know_may_hold_anything(extra: dict[str, Any], team: Team) -> None:
    team.console.collection("recipes").document("welcome").set(recipe(updatedAt=NOON) | extra)
    assert team.drift() == (CREATED,)
    team.clock.advance_to(START_AT)
    execution = launch(team.ports, "welcome", START_AT)
    assert execution is not None
    assert team.ports.executions.get(execution.id) is not None


def test_a_reference_to_another_document_reads_as_its_path(team: Team) -> None:
    team.write(owner=team.console.document("people/anna"))
    assert team.drift() == (CREATED,)
    assert (team.ports.recipes.get("welcome") or {})["owner"] == "people/anna"


@pytest.mark.parametrize("written", [firestore.DELETE_FIELD, None, "", "another", 7, b"x", ["welcome"]])
def test_a_document_s_name_is_its_recipe_s_id_whatever_its_field_says(written: Any, team: Team) -> None:
    team.write()
    team.edit({"id": written})
    assert team.drift() == (CREATED,)
    assert team.jobs() == [job()]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"schedule.executionTime": "07:15"}, job(cron="45 6 * * *")),
        ({"schedule.timezone": "Asia/Tokyo"}, job(zone="Asia/Tokyo")),
        ({"status": "paused"}, None),
        ({"status": "archived", "isActive": True}, None),
        ({"schedule.endDate": "2026-11-22"}, None),
        ({"name": "New name", "pushSequence": [push(1)]}, job()),
    ],
    ids=str,
)
def test_schedules_follow_an_edit(change: dict[str, Any], expected: ScheduledJob | None, team: Team) -> None:
    team.write()
    team.drift()
    team.edit(change)
    drift = team.drift()
    assert team.jobs() == ([] if expected is None else [expected])
    assert len(drift) == (expected != job())
    assert team.drift() == ()


def test_a_recipe_that_was_deleted_by_hand_loses_its_schedule_and_what_waited_for_its_send(team: Team) -> None:
    team.write()
    team.drift()
    team.clock.advance_to(START_AT)
    execution = launch(team.ports, "welcome", START_AT)
    assert execution is not None
    team.console.document("recipes/welcome").delete()
    assert team.drift() == (DELETED, f"cancelled {execution.id}: its recipe was deleted")
    assert team.jobs() == []


MALFORMED: dict[str, tuple[Edit, str]] = {
    "a number for a name": (lambda _: {"name": 7}, "name"),
    "bytes that are no text": (lambda _: {"name": b"\xff\xfe"}, "name"),
    "a timestamp for a time of day": (lambda _: {"schedule.executionTime": NOON}, "schedule.executionTime"),
    "a timestamp for a zone": (lambda _: {"schedule.timezone": NOON}, "schedule.timezone"),
    "a zone that is none": (lambda _: {"schedule.timezone": "Mars/Olympus"}, "schedule.timezone"),
    "text for a schedule": (lambda _: {"schedule": "daily"}, "schedule"),
    "a reference for a schedule": (lambda console: {"schedule": console.document("plans/p")}, "schedule"),
    "no schedule": (lambda _: {"schedule": firestore.DELETE_FIELD}, "schedule"),
    "a map for a list": (lambda _: {"pushSequence": {"0": push(1)}}, "pushSequence"),
    "no pushes": (lambda _: {"pushSequence": []}, "pushSequence"),
    "text among pushes": (lambda _: {"pushSequence": [push(1), "push"]}, "pushSequence[1]"),
    "no number for a delay": (
        lambda _: {"pushSequence": [push(1, timing={"delayAfterPrevious": float("nan")})]},
        "pushSequence[0].timing.delayAfterPrevious",
    ),
    "a place for a layer": (
        lambda _: {"pushSequence": [push(1, layerId=firestore.GeoPoint(0, 0))]},
        "pushSequence[0].layerId",
    ),
    "a status that is none": (lambda _: {"status": "aktive"}, "status"),
    "a number for a status": (lambda _: {"status": 1}, "status"),
    "text for an audience": (lambda _: {"audienceCriteria": "everybody"}, "audienceCriteria"),
}


OFTEN = ("a timestamp for a zone", "no schedule", "a map for a list", "a status that is none")
"""The malformed recipes that `make test` plays; test_recipes_of_wrong_types.py plays more of them on SQLite."""


@pytest.mark.long
@pytest.mark.parametrize(
    "case", [*OFTEN, *(pytest.param(case, marks=pytest.mark.long) for case in MALFORMED if case not in OFTEN)]
)
def test_a_malformed_recipe_is_reported_and_never_run_and_others_are(case: str, team: Team) -> None:
    change, field = MALFORMED[case]
    team.write()
    team.drift()
    team.write("sound")
    team.edit(change(team.console))
    first = team.drift()
    [malformed] = [sentence for sentence in first if "malformed" in sentence]
    assert malformed.startswith("recipe 'welcome' is malformed and will not run: ")
    assert field in malformed
    assert set(first) - {malformed} == {DELETED, "created the schedule tminus-sound: 0 18 * * * in UTC"}
    assert team.jobs() == [job("sound")]
    assert team.drift() == (malformed,)
    team.clock.advance_to(START_AT + timedelta(minutes=6))
    assert launch(team.ports, "welcome", START_AT) is None
    assert [sentence for sentence in team.drift() if "welcome" in sentence] == [malformed]
    assert executions_of(team.ports, "welcome") == []


@pytest.mark.parametrize("name", ["my recipe", "größe", "a.b", "x" * 101])
def test_a_document_whose_name_can_be_no_id_is_reported(name: str, team: Team) -> None:
    team.write(name)
    [malformed] = team.drift()
    assert malformed.startswith(f"recipe {name!r} is malformed and will not run: id: must be 1 to 100 letters")
    assert team.jobs() == []


def test_an_empty_document_is_reported(team: Team) -> None:
    team.console.document("recipes/empty").set({})
    [malformed] = team.drift()
    assert malformed.startswith("recipe 'empty' is malformed and will not run: ")


def test_a_recipe_that_was_fixed_runs_again(team: Team) -> None:
    team.write(schedule="daily")
    assert len(team.drift()) == 1
    team.write()
    assert team.drift() == (CREATED,)


def test_a_malformed_recipe_sends_an_alert(team: Team) -> None:
    told: list[Alert] = []

    class _Told:
        def send(self, alert: Alert) -> None:
            told.append(alert)

    team.write(status="aktive")
    reconcile(replace(team.ports, alerts=_Told()))
    assert [alert.kind for alert in told] == ["reconcile_drift"]
    assert "status: must be one of draft" in told[0].message
