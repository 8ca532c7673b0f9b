"""Keys that are nearly a field of a recipe: saving refuses them, a dry run shows them, what is stored goes on."""

from typing import Any

import pytest

from audience_jobs.workspace import marketplace
from functions.domain.errors import BadRecipe
from functions.domain.recipe.field_paths import misspelled_keys
from functions.domain.recipe.read import Document
from functions.usecases.dry_run.preview import preview
from functions.usecases.recipes.check_saved import checked_recipe
from functions.usecases.recipes.save import update_recipe
from local.runtime.recipe_files import read_recipe_file
from local.runtime.serving import SOURCE
from tests.factories import push, recipe
from tests.functional.conftest import EARLIER, Lab, _job


def named(document: Document) -> dict[str, str]:
    return {error.field: error.reason.split("'")[1] for error in misspelled_keys(document)}


@pytest.mark.parametrize(
    ("changes", "field", "meant"),
    [
        ({"statsu": "active"}, "statsu", "status"),
        ({"isactive": True}, "isactive", "isActive"),
        ({"schedule__excutionTime": "18:30"}, "schedule.excutionTime", "executionTime"),
        ({"schedule__time_zone": "UTC"}, "schedule.time_zone", "timezone"),
        ({"pushSequence": [push(1), push(2, titel="x")]}, "pushSequence[1].titel", "title"),
        ({"pushSequence": [push(1, deeplink="x")]}, "pushSequence[0].deeplink", "deepLink"),
        (
            {"pushSequence": [push(1, timing={"delayAfterPrevius": 5})]},
            "pushSequence[0].timing.delayAfterPrevius",
            "delayAfterPrevious",
        ),
        ({"audienceCriteria__filter": {}}, "audienceCriteria.filter", "filters"),
        ({"audienceCriteria__customScript__scriptID": "x"}, "audienceCriteria.customScript.scriptID", "scriptId"),
        ({"settings__safegards": {"maxAudienceSize": 5}}, "settings.safegards", "safeguards"),
        ({"settings__testUsers": []}, "settings.testUsers", "testUserIds"),
        ({"settings__safeguards__maxAudiencSize": 5}, "settings.safeguards.maxAudiencSize", "maxAudienceSize"),
        (
            {"settings__safeguards__alertThresholds__failureRates": 0.5},
            "settings.safeguards.alertThresholds.failureRates",
            "failureRate",
        ),
        ({"settings__dryRunFrist": True}, "settings.dryRunFrist", "dryRunFirst"),
    ],
)
def test_a_key_near_a_field_is_refused_with_that_field(
    lab: Lab, changes: dict[str, Any], field: str, meant: str
) -> None:
    with pytest.raises(BadRecipe) as error:
        lab.save(recipe(**changes))
    [told] = error.value.errors
    assert (told.field, told.code) == (field, "misspelled_key")
    assert told.reason == f"is not a field of a recipe: did you mean {meant!r}? Rename it, or remove it"


@pytest.mark.parametrize(
    ("content", "field", "reason"),
    [
        ({"web": {"image": "x"}}, "web.image", "web: it is one of the push (image)"),
        ({"web": {"actions": []}}, "web.actions", "web: it is one of the push (buttons)"),
        ({"web": {"link": "x", "deepLink": "x"}}, "web.deepLink", "web: it is one of the push (deepLink)"),
        ({"android": {"priority": "high"}}, "android.priority", "android: it is one of the push (priority)"),
        ({"android": {"ttl_minutes": 5}}, "android.ttl_minutes", "android: it is one of the push (ttlMinutes)"),
        ({"android": {"badge": 1}}, "android.badge", "android: it is one of ios (ios.badge) or web (web.badge)"),
        ({"ios": {"channelId": "news"}}, "ios.channelId", "ios: it is one of android (android.channelId)"),
        ({"ios": {"id": "a"}}, "ios.id", "ios: it is one of a button (buttons[].id)"),
    ],
)
def test_a_key_in_the_wrong_part_of_a_push_is_refused_with_the_right_one(
    content: dict[str, Any], field: str, reason: str
) -> None:
    [told] = misspelled_keys(recipe(pushSequence=[push(1), push(2, **content)]))
    assert (told.field, told.code) == (f"pushSequence[1].{field}", "misspelled_key")
    assert told.reason == f"is not a field of {reason}"


@pytest.mark.parametrize("key", ["deepLink", "deeplink", "ios", "data", "literalText", "layerId", "subtitle"])
def test_a_translation_has_only_its_own_fields(key: str) -> None:
    german = {"title": "Hallo", "body": "Du", key: "x"}
    [told] = misspelled_keys(recipe(pushSequence=[push(1, translations={"de": german})]))
    assert told.field == f"pushSequence[0].translations.de.{key}"
    assert told.reason.startswith("is not a field of a translation: it is one of ")


def test_a_key_in_the_wrong_part_is_not_saved(lab: Lab) -> None:
    with pytest.raises(BadRecipe, match=r"pushSequence\[0\]\.web\.image: is not a field of web"):
        lab.save(recipe(pushSequence=[push(1, web={"image": "https://img.example/a.png"})]))


def test_the_buttons_of_a_push_and_of_its_translations_have_only_their_own_fields() -> None:
    buttons = [{"id": "a", "title": "A"}, {"id": "b", "title": "B", "icon": "x"}]
    translations = {"de": {"title": "x", "body": "x", "buttons": buttons}}
    told = misspelled_keys(recipe(pushSequence=[push(1, buttons=buttons, translations=translations)]))
    reason = "is not a field of a button: it is one of android (android.icon) or web (web.icon)"
    assert {each.field.removeprefix("pushSequence[0]."): each.reason for each in told} == {
        "buttons[1].icon": reason,
        "translations.de.buttons[1].icon": reason,
    }


def test_a_push_itself_may_have_keys_of_the_team_with_the_names_of_fields_elsewhere() -> None:
    assert misspelled_keys(recipe(pushSequence=[push(1, channelId="a", icon="b", id="c", data={"ios": "x"})])) == []


def test_a_misspelled_key_is_named_beside_the_field_that_is_missing_for_it(lab: Lab) -> None:
    document = recipe(schedule={"timezone": "UTC", "frequency": "daily", "excutionTime": "18:30"})
    with pytest.raises(BadRecipe) as error:
        lab.save(document)
    assert [each.field for each in error.value.errors] == ["schedule.excutionTime", "schedule.executionTime"]


def test_keys_of_a_newer_release_or_of_the_team_are_kept(lab: Lab) -> None:
    news = {"ttlMinutes": 5, "translations": {}, "data": {}, "buttons": [], "ios": {"subtitle": "x", "glow": "x"}}
    document = recipe(
        owner="growth",
        tags=["a"],
        metadata={"titel": "free"},
        schedule__recipientLocal=True,
        pushSequence=[push(1, **news)],
        audienceCriteria__customScript={"scriptId": "everybody", "parameters": {"most": 3}},
        audienceCriteria__where={"all": []},
        settings__approval={"above": 5},
        settings__quietHours="ignore",
    )
    lab.save(document)
    stored = lab.ports.recipes.get("welcome")
    assert stored is not None
    assert {name: stored[name] for name in document if name not in ("status", "schedule")} == {
        name: value for name, value in document.items() if name not in ("status", "schedule")
    }


def test_null_stands_for_a_field_that_is_gone_whatever_its_name() -> None:
    assert misspelled_keys(recipe(settings__safegards=None)) == []


def test_a_recipe_that_comes_back_as_it_was_read_is_saved(lab: Lab) -> None:
    stored = lab.ports.recipes.get("welcome")
    assert stored is not None
    update_recipe(lab.ports, "welcome", {**stored, "nextSendAt": None, "problem": "x"}, by="growth@example.com")


@pytest.mark.parametrize(
    "path", sorted((SOURCE.parent / "local" / "recipes").glob("*.json")), ids=lambda path: path.stem
)
def test_the_samples_have_no_key_that_nothing_reads_by_mistake(path: Any) -> None:
    assert misspelled_keys(read_recipe_file(path)) == []


@pytest.mark.long
def test_a_misspelled_key_that_is_stored_is_a_problem_of_the_dry_run_and_the_recipe_goes_on(lab: Lab) -> None:
    document = recipe(settings__safegards={"maxAudienceSize": 1})
    lab.store(document)
    found = preview(lab.ports, document, test=False)
    [problem] = found.problems
    assert (problem.type, found.valid, "settings.safegards" in problem.message) == (
        "unwelcome_field",
        False,
        True,
    )
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"


@pytest.mark.slow
def test_test_users_whose_ids_are_not_uuids_get_a_notice_of_what_to_set(lab: Lab) -> None:
    document = recipe(settings__testUserIds=["1"])
    with pytest.raises(BadRecipe, match="USER_ID_FORMAT=any") as error:
        checked_recipe(
            document, policy=lab.policy, find_job=lambda _: _job(Lab.audiences), workspace=marketplace(), now=EARLIER
        )
    assert [(each.field, each.code) for each in error.value.errors] == [("settings.testUserIds[0]", "bad_user_id")]
    problems = preview(lab.ports, document, test=True).problems
    assert any(
        "settings.testUserIds[0]" in told.message and "USER_ID_FORMAT=any" in told.message for told in problems
    )


def test_a_dry_run_on_integer_ids_says_what_to_set(lab: Lab) -> None:
    lab.write_rows([(str(number), "Shoe", "Name", "a") for number in range(1, 6)])
    found = preview(lab.ports, recipe(pushSequence=[push(1)]), test=False)
    critical = [problem.message for problem in found.problems if problem.severity == "critical"]
    assert found.valid is False
    assert "5 invalid_user_id" in critical[0]
    assert "set USER_ID_FORMAT=any" in critical[0]
