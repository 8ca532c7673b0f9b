"""People and messages are different numbers: a user of three audiences is one person, and gets three messages."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.domain.alerts.alert import finished
from functions.domain.execution.execution import Execution
from functions.domain.push.outcomes import Tally
from functions.usecases.dry_run.preview import preview
from functions.usecases.timeline.control import stop
from tests.factories import recipe, user
from tests.functional.conftest import SEND_AT, Lab

pytestmark = pytest.mark.slow

OVERLAPPING = {"a": range(6), "b": range(3, 8), "c": range(5, 9)}


@pytest.fixture
def overlapping(lab: Lab) -> Lab:
    """Nine people, fifteen messages."""
    lab.write_rows([(user(n), f"Shoe {n}", f"Name {n}", name) for name, them in OVERLAPPING.items() for n in them])
    lab.write_devices([(user(n), f"token-{n}") for n in range(9)])
    lab.save(recipe(settings__safeguards={"requireTestFirst": False}))
    return lab


def test_people_are_counted_once_when_the_audiences_are_built(overlapping: Lab) -> None:
    overlapping.run_to(SEND_AT - timedelta(minutes=1))
    assert overlapping.execution().people == 9
    totals = overlapping.report()["totals"]
    assert (totals["people"], totals["audienceSize"], totals["peopleReached"]) == (9, 15, None)


@pytest.mark.long
def test_people_who_got_a_push_are_counted_once_at_the_end(overlapping: Lab) -> None:
    overlapping.run_to(SEND_AT + timedelta(hours=1))
    totals = overlapping.report()["totals"]
    assert (totals["people"], totals["peopleReached"], totals["audienceSize"], totals["sent"]) == (9, 9, 15, 15)
    told = finished(overlapping.execution(), Tally(audience_size=15, sent=15), 9).message
    assert told == (
        "completed: of 9 users (15 messages) 15 sent, 0 failed, 0 unknown, 0 not reached; "
        "9 users got at least one push"
    )
    lines = (overlapping.state / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    ready = [alert for alert in map(json.loads, lines) if alert["kind"] == "audience_ready"]
    assert [alert["message"] for alert in ready] == [
        "the audiences are ready: 9 users (15 messages) in 3 pushes, 15 devices"
    ]


def test_a_user_who_got_only_the_first_push_before_a_stop_counts_as_reached(overlapping: Lab) -> None:
    overlapping.run_to(SEND_AT + timedelta(minutes=1))
    stop(overlapping.ports, overlapping.id, "wrong shoes")
    overlapping.run_to(SEND_AT + timedelta(hours=1))
    totals = overlapping.report()["totals"]
    assert (totals["people"], totals["peopleReached"], totals["sent"]) == (9, 6, 6)


def test_a_dry_run_names_people_and_messages(overlapping: Lab) -> None:
    totals = preview(overlapping.ports, recipe(), test=False).totals
    assert (totals.people, totals.eligible_people, totals.messages) == (9, 9, 15)


@pytest.mark.long
def test_an_execution_of_an_older_release_has_no_number_of_people(lab: Lab) -> None:
    lab.run_to(SEND_AT)
    document = lab.execution().document()
    del document["people"], document["peopleReached"]
    assert Execution.read(document) == replace(lab.execution(), people=None)
