"""What a person may not save, said all at once; what is stored goes on as it is."""

import json
from typing import Any

import pytest

from audience_jobs.workspace import marketplace
from functions.domain.errors import BadRecipe
from functions.domain.execution.safeguards import Severity
from functions.domain.ids import UserIdFormat
from functions.domain.policy import Policy
from functions.domain.recipe.read import Document
from functions.usecases.by_hand.start import SENDING_MODES, start_by_hand
from functions.usecases.dry_run.preview import preview
from functions.usecases.moving_in.migrate import MigratedShown, OldDocument, migrate
from functions.usecases.recipes.check_saved import checked_recipe
from functions.usecases.recipes.save import resume_recipe, save_recipe, update_recipe
from tests.factories import TESTER, old_push, push, recipe
from tests.functional.conftest import EARLIER, START_AT, Lab, _job

FOREIGN = push(1, title="Hi {{name}}")
ONCE = {"frequency": "once", "executionTime": "12:00"}
WEEKLY = {"frequency": "weekly", "executionTime": "12:00", "daysOfWeek": [1]}
MONTHLY = {"frequency": "monthly", "executionTime": "12:00", "dayOfMonth": 31}


def refused(lab: Lab, document: Document) -> dict[str, str]:
    with pytest.raises(BadRecipe) as error:
        save_recipe(lab.ports, document, by="growth@example.com")
    return {each.field: each.reason for each in error.value.errors}


@pytest.mark.parametrize(
    "texts",
    [
        {"title": "", "body": ""},
        {"title": " \n", "body": "\u200b\u2060"},
        {"title": "\u3164", "body": "\u2800\ufe0f"},
        {"title": "\u202e", "body": "\u00a0"},
        {"title": "[[var:name|]]", "body": " [[var:shoe|\u200b]]"},
    ],
)
def test_a_push_that_shows_nothing_is_refused(lab: Lab, texts: dict[str, str]) -> None:
    told = refused(lab, recipe(pushSequence=[push(1), push(2, **texts)]))
    assert told == {"pushSequence[1].title": "is blank, and so is the body: write a title or a body"}


@pytest.mark.parametrize(
    "texts",
    [{"title": "", "body": "b"}, {"title": "t", "body": ""}, {"title": "[[var:name|you]]", "body": "[[var:shoe|]]"}],
)
def test_a_title_or_a_body_is_enough(lab: Lab, texts: dict[str, str]) -> None:
    lab.save(recipe(pushSequence=[push(1, **texts)]))


def test_a_push_that_no_row_can_be_sent_is_refused_with_its_size(lab: Lab) -> None:
    told = refused(lab, recipe(pushSequence=[push(1, body="é" * 2_500)]))
    assert "makes the push 5,248 bytes long, without the values of variables" in told["pushSequence[0].body"]
    assert "FCM takes 4,096: shorten it" in told["pushSequence[0].body"]
    lab.save(recipe(pushSequence=[push(1, body="e" * 3_800)]))


def test_a_variable_of_another_product_is_refused_with_the_way_to_write_it(lab: Lab) -> None:
    reason = refused(lab, recipe(pushSequence=[FOREIGN]))["pushSequence[0].title"]
    assert "'{{name}}' looks like a variable of another product; write [[var:name]], or" in reason
    lab.save(recipe(pushSequence=[push(1, title="Hi [[var:name]]")]))


@pytest.mark.long
def test_text_that_is_meant_literally_is_saved_and_sent_as_it_is(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, title="Type {{name}} to win", literalText=True)]))
    lab.run_to_the_end()
    assert {message["title"] for message in lab.outbox()} == {"Type {{name}} to win"}
    assert lab.violations() == []
    assert refused(lab, recipe(pushSequence=[push(1, literalText="yes")])) == {
        "pushSequence[0].literalText": 'must be true or false, got "yes"'
    }


@pytest.mark.long
def test_a_stored_recipe_with_such_text_still_sends_and_people_are_warned_in_time(lab: Lab) -> None:
    lab.store(recipe(pushSequence=[FOREIGN, push(2, literalText="yes", deepLink="https://kicks.example/a b")]))
    lab.run_to(START_AT)
    assert lab.violations() == ["unwelcome_content"] * 3
    lab.run_to_the_end()
    assert {message["title"] for message in lab.outbox(test=False)} == {
        *("Hi {{name}}", "Push 2 for Name 4", "Push 2 for Name 5", "Push 2 for Name 6")
    }
    assert lab.report()["status"] == "completed"


@pytest.mark.long
def test_a_dry_run_of_such_a_recipe_is_not_valid_and_it_can_be_sent_by_hand(lab: Lab) -> None:
    lab.store(recipe(pushSequence=[FOREIGN]))
    found = preview(lab.ports, recipe(pushSequence=[FOREIGN]), test=False)
    assert not found.valid
    assert "push 1: title: '{{name}}' looks like" in found.problems[0].message
    start_by_hand(lab.ports, "welcome", SENDING_MODES["test-live-send"], EARLIER)


def test_a_paused_recipe_with_such_text_is_not_resumed_before_it_is_fixed(lab: Lab) -> None:
    lab.store(recipe(status="paused", pushSequence=[FOREIGN]))
    with pytest.raises(BadRecipe, match=r"pushSequence\[0\].title: '{{name}}' looks like"):
        resume_recipe(lab.ports, "welcome", by="growth@example.com")
    update_recipe(lab.ports, "welcome", {"pushSequence": [push(1)]}, by="growth@example.com")
    assert resume_recipe(lab.ports, "welcome", by="growth@example.com").is_active


def test_the_text_of_the_old_system_is_taken_over_as_it_is_with_a_notice(lab: Lab) -> None:
    def taken(content: Document) -> MigratedShown:
        [made] = migrate(lab.ports, [OldDocument(name="p1", content=content)], by="ann@example.com", dry_run=False)
        return made

    made = taken(old_push(title="Hi {{username}}"))
    assert made.outcome == "created"
    assert any("'{{username}}' looks like a variable" in notice for notice in made.notices)


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ({"frequency": "custom", "cronExpression": "0 12 30 2 *"}, "schedule.cronExpression"),
        ({"frequency": "custom", "cronExpression": "0 12 31 4,6,9,11 *"}, "schedule.cronExpression"),
        ({**ONCE, "startDate": "2027-02-30"}, "schedule.startDate"),
        ({**ONCE, "startDate": "2027-02-03", "endDate": "2027-02-02"}, "schedule.endDate"),
        ({**WEEKLY, "startDate": "2027-03-02", "endDate": "2027-03-07"}, "schedule.endDate"),
        ({**MONTHLY, "startDate": "2027-02-01", "endDate": "2027-02-27"}, "schedule.endDate"),
    ],
)
@pytest.mark.parametrize("status", ["active", "draft"])
def test_a_schedule_that_never_comes_is_refused(lab: Lab, schedule: Document, field: str, status: str) -> None:
    told = refused(lab, recipe(status=status, schedule={"timezone": "UTC", **schedule}))
    assert list(told) == [field]


def test_a_leap_day_comes(lab: Lab) -> None:
    lab.save(recipe(schedule={"timezone": "UTC", "frequency": "custom", "cronExpression": "0 12 29 2 *"}))


@pytest.mark.parametrize("zone", ["localtime", "Factory", "posixrules", "posix/UTC", "right/UTC", "america/new_york"])
def test_a_zone_that_is_only_a_file_is_refused(lab: Lab, zone: str) -> None:
    told = refused(lab, recipe(schedule__timezone=zone))
    assert told == {
        "schedule.timezone": f"must be an IANA time zone such as America/New_York or UTC, got {json.dumps(zone)}"
    }


@pytest.mark.parametrize("zone", ["US/Eastern", "Asia/Calcutta", "Etc/GMT+5", "Europe/Kyiv", "UTC"])
def test_a_zone_of_the_database_is_accepted_by_any_of_its_names(lab: Lab, zone: str) -> None:
    lab.save(recipe(schedule__timezone=zone))


@pytest.mark.parametrize(
    "link", ["https://", "https://kicks.example:99999/", "https://kicks.example/a\nb", "https://a@b/"]
)
def test_a_link_that_cannot_be_opened_is_refused_once(lab: Lab, link: str) -> None:
    assert list(refused(lab, recipe(pushSequence=[push(1, deepLink=link)]))) == ["pushSequence[0].deepLink"]


def test_a_test_user_by_e_mail_is_refused_where_user_ids_are_uuids(lab: Lab) -> None:
    told = refused(lab, recipe(settings__testUserIds=[TESTER, "ana@kicks.example"]))
    assert list(told) == ["settings.testUserIds[1]"]
    assert told["settings.testUserIds[1]"].startswith('"ana@kicks.example" is not a UUID; set USER_ID_FORMAT=any')


def test_any_printable_test_user_is_accepted_where_any_id_is() -> None:
    policy = Policy(user_id_format=UserIdFormat.ANY)
    document = recipe(settings__testUserIds=["ana@kicks.example"])
    checked_recipe(
        document, policy=policy, find_job=lambda _: _job(Lab.audiences), workspace=marketplace(), now=EARLIER
    )


def test_a_blank_name_is_refused_and_a_missing_one_is_the_id(lab: Lab) -> None:
    assert refused(lab, recipe(name=" \u200b")) == {"name": "is blank: write a name, or leave the field out"}
    lab.save({name: value for name, value in recipe().items() if name != "name"})


def test_everything_that_is_wrong_is_said_at_once(lab: Lab) -> None:
    document = recipe(
        schedule__executionTime="25:99",
        settings__testUserIds=["ana@kicks.example"],
        pushSequence=[
            push(1, title="", body=""),
            push(2, layerId=9, body="{{name}}"),
            push(3, body="Hi [[var:nmae]]", deepLink="http://kicks.example"),
        ],
    )
    assert set(refused(lab, document)) == {
        *("schedule.executionTime", "pushSequence[1].layerId", "settings.testUserIds[0]", "pushSequence[0].title"),
        *("pushSequence[1].body", "pushSequence[2].body", "pushSequence[2].deepLink"),
    }


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        (
            {"schedule": {"timezone": "Mars", "frequency": "once"}},
            ["schedule.timezone", "schedule.executionTime", "schedule.startDate"],
        ),
        ({"schedule": {"timezone": "Mars", "frequency": "custom"}}, ["schedule.timezone", "schedule.cronExpression"]),
        ({"schedule": {"timezone": "Mars", "frequency": "costum"}}, ["schedule.timezone", "schedule.frequency"]),
        ({"schedule": 7, "settings__testUserIds": [7]}, ["schedule", "settings.testUserIds[0]"]),
        ({"id": "a/b", "name": " "}, ["id", "name"]),
        ({"pushSequence": [7, push(2, title="", body="")]}, ["pushSequence[0]", "pushSequence[1].title"]),
        (
            {"pushSequence": [push(1, title="[[x]]", body="{{name}}", timing={"absoluteTime": "25:00"})]},
            ["pushSequence[0].title", "pushSequence[0].timing.absoluteTime", "pushSequence[0].body"],
        ),
        ({"pushSequence": [push(1), push(1)], "status": "on"}, ["status", "pushSequence[0].sequenceOrder"]),
    ],
)
def test_one_field_hides_no_other_that_is_wrong(lab: Lab, changes: dict[str, Any], fields: list[str]) -> None:
    assert list(refused(lab, recipe(**changes))) == fields


@pytest.mark.parametrize("broken", [[], "text", {}, {"pushSequence": 3}, {"schedule": [], "pushSequence": [None]}])
def test_a_document_that_is_hardly_a_recipe_is_refused_all_the_same(lab: Lab, broken: Any) -> None:
    assert refused(lab, broken)


def test_an_error_names_the_push_by_its_place_in_the_document(lab: Lab) -> None:
    told = refused(lab, recipe(pushSequence=[push(3, title="[[var:zzz]]", audienceName="c"), push(1), push(2)]))
    assert list(told) == ["pushSequence[0].title"]


@pytest.mark.slow
def test_a_result_without_users_is_never_valid(lab: Lab) -> None:
    lab.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)}, without_token=range(9))
    found = preview(lab.ports, recipe(), test=False)
    assert not found.valid
    assert [each.message for each in found.problems if each.severity is Severity.CRITICAL] == [
        "no user would get anything: all 9 users are excluded (9 no_token)"
    ]
    lab.write_users({"b": range(2)})
    found = preview(lab.ports, recipe(pushSequence=[push(1)]), test=False)
    assert not found.valid
    assert found.problems[-1].message == "no user would get anything: the audience is empty"


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ({**ONCE, "startDate": "9999-12-31"}, "schedule.startDate"),
        ({**WEEKLY, "startDate": "9999-12-31"}, "schedule.startDate"),
        ({**ONCE, "startDate": "9999-12-31", "endDate": "9999-12-31"}, "schedule.startDate"),
        ({**WEEKLY, "startDate": "2027-01-05", "endDate": "2027-01-06"}, "schedule.endDate"),
    ],
)
def test_a_schedule_that_never_sends_names_a_field_that_is_written(
    lab: Lab, schedule: dict[str, Any], field: str
) -> None:
    assert list(refused(lab, recipe(schedule={"timezone": "UTC", **schedule}))) == [field]
