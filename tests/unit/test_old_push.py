"""Scheduled pushes of the old system, as recipes that send once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.domain.errors import BadFields
from functions.domain.recipe.old_push import is_old_push, old_field, once_recipe, recipe_id
from functions.domain.recipe.read import parse
from functions.domain.recipe.schedule import sends_from
from tests.factories import old_push

NOW = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)


def refused(**changes: Any) -> list[str]:
    with pytest.raises(BadFields) as error:
        once_recipe(old_push(**changes), NOW)
    return [str(each) for each in error.value.errors]


def test_a_push_that_waits_becomes_an_active_recipe_that_sends_once_at_its_instant() -> None:
    recipe = parse(once_recipe(old_push(), NOW).document)
    assert list(sends_from(recipe.schedule, NOW)) == [datetime(2026, 3, 5, 9, 15, tzinfo=UTC)]
    assert (recipe.id, recipe.name, recipe.status) == ("push-p1", "Hello", "active")
    assert [(push.layer_id, push.title.source, push.body.source) for push in recipe.pushes] == [(2, "Hello", "There")]
    assert recipe.criteria.query["filters"] == {"lastActiveDays": 30}


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    recipe = parse(once_recipe(old_push(scheduledFor="2026-03-05T23:15:00-05:00"), NOW).document)
    assert list(sends_from(recipe.schedule, NOW)) == [datetime(2026, 3, 6, 4, 15, tzinfo=UTC)]


def test_everything_that_was_written_is_kept() -> None:
    written = old_push(campaign={"color": "red"})
    document = once_recipe(written, NOW).document
    assert document["metadata"] == {"scheduledPush": written}
    assert (document["createdAt"], document["description"]) == ("2026-02-01T10:00:00Z", "Active users")


@pytest.mark.parametrize(
    ("status", "at", "expected"),
    [
        ("scheduled", "2026-03-05T09:15:00Z", "active"),
        (None, "2026-03-05T09:15:00Z", "active"),
        ("Pending", "2026-03-05T09:15:00Z", "active"),
        ("draft", "2026-03-05T09:15:00Z", "draft"),
        ("cancelled", "2026-03-05T09:15:00Z", "paused"),
        ("failed", "2026-03-05T09:15:00Z", "paused"),
        ("sent", "2026-03-05T09:15:00Z", "completed"),
        ("sending", "2026-03-05T09:15:00Z", "completed"),
        ("scheduled", "2026-03-02T16:00:00Z", "completed"),
        ("cancelled", "2020-01-01T00:00:00Z", "completed"),
        ("sent", "2020-01-01T00:00:00Z", "completed"),
    ],
)
def test_what_has_passed_or_was_sent_is_completed(status: str | None, at: str, expected: str) -> None:
    assert once_recipe(old_push(status=status, scheduledFor=at), NOW).document["status"] == expected


def test_what_is_read_otherwise_than_it_was_written_has_a_notice() -> None:
    made = once_recipe(old_push(scheduledFor="2026-03-05T09:15:42Z", layerId=None), NOW)
    assert "full minute, 09:15 UTC" in made.notices[0]
    assert "layer 5" in made.notices[1]
    assert "its time has passed" in once_recipe(old_push(scheduledFor="2026-03-01T00:00:00Z"), NOW).notices[0]


def test_fields_at_fault_are_named() -> None:
    assert refused(id="", scheduledFor="tomorrow", status="maybe") == [
        'scheduledFor: must be an instant with its zone, such as 2026-11-23T18:00:00Z, got "tomorrow"',
        "status: must be one of scheduled, pending, active, sent, sending, running, completed, delivered, paused, "
        'inactive, cancelled, canceled, failed, draft, got "maybe"',
        'id: must be a text, got ""',
    ]
    assert refused(scheduledFor="2026-03-05T09:15:00")[0].startswith("scheduledFor: must be an instant with its zone")
    assert refused(title="\ud800")[0].startswith("title: must be Unicode text")


def test_each_old_id_has_a_recipe_id_of_its_own() -> None:
    ids = ["p1", "P1", "a b", "a-b", "a/b", "ü", "x" * 200, "x" * 201, "__a__"]
    assert len({recipe_id(each) for each in ids}) == len(ids)
    assert recipe_id("a b") == recipe_id("a b")


def test_a_scheduled_push_is_distinguished_from_a_recipe() -> None:
    assert is_old_push({"scheduledFor": 7})
    assert not is_old_push({"scheduledFor": "x", "pushSequence": []})
    assert not is_old_push(["scheduledFor"])
    assert old_field("pushSequence[0].deepLink") == "deepLink"
    assert old_field("schedule.startDate") == "scheduledFor"
    assert old_field("audienceCriteria.filters") == "audienceCriteria.filters"
