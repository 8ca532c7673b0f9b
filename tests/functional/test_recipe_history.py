"""Who did what to a recipe, as people and Tminus itself change it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.domain.errors import BadRecipe
from functions.handlers.http.as_json import as_json
from functions.usecases.recipes.save import delete_recipe, pause_recipe, resume_recipe, save_recipe
from functions.usecases.reports.audit import history_of
from tests.factories import recipe
from tests.functional.conftest import Lab


def told(lab: Lab) -> list[tuple[str, str]]:
    return [(entry.action, entry.by) for entry in history_of(lab.ports, "welcome").entries]


def test_everything_that_people_do_to_a_recipe_is_shown_newest_first(lab: Lab) -> None:
    pause_recipe(lab.ports, "welcome", by="ann@example.com")
    resume_recipe(lab.ports, "welcome", by="bob@example.com")
    delete_recipe(lab.ports, "welcome", by="cli")
    assert told(lab) == [
        ("deleted", "cli"),
        ("resumed", "bob@example.com"),
        ("paused", "ann@example.com"),
        ("saved", "growth@example.com"),
    ]


def test_an_entry_is_json_with_the_whole_document_before_and_after(lab: Lab) -> None:
    pause_recipe(lab.ports, "welcome", by="ann@example.com")
    paused, saved = json.loads(json.dumps(as_json(history_of(lab.ports, "welcome"))))["entries"]
    assert (saved["before"], saved["after"]["status"]) == (None, "active")
    assert paused["before"] == saved["after"]
    assert paused["after"] == lab.ports.recipes.get("welcome")
    assert (paused["number"], paused["at"]) == (2, "2026-03-02T16:00:00Z")


def test_what_was_edited_by_hand_shows_before_the_next_change(lab: Lab) -> None:
    lab.ports.recipes.change("welcome", lambda document: {**(document or {}), "name": "by hand"})
    pause_recipe(lab.ports, "welcome", by="ann@example.com")
    newest = history_of(lab.ports, "welcome").entries[0]
    assert newest.before is not None
    assert newest.before["name"] == "by hand"


def test_what_is_refused_is_not_in_the_history(lab: Lab) -> None:
    with pytest.raises(BadRecipe):
        save_recipe(lab.ports, recipe(pushSequence=[]), by="ann@example.com")
    assert told(lab) == [("saved", "growth@example.com")]


@pytest.mark.slow
def test_a_recipe_that_has_no_send_left_is_completed_by_the_cleanup(make_lab: Any) -> None:
    lab = make_lab()
    lab.save(recipe(schedule__frequency="once", schedule__startDate="2026-03-02"))
    lab.run_to_the_end()
    assert told(lab) == [("completed", "finish"), ("saved", "growth@example.com")]


def test_a_page_says_where_the_next_one_begins_and_the_last_that_there_is_none(lab: Lab) -> None:
    for _ in range(4):
        lab.save()
    pages, before = [], None
    while True:
        page = history_of(lab.ports, "welcome", before=before, most=2)
        pages.append([entry.number for entry in page.entries])
        before = page.next
        if before is None:
            break
    assert pages == [[5, 4], [3, 2], [1]]
    assert history_of(lab.ports, "welcome", before=3, most=2).next is None
    assert history_of(lab.ports, "unknown").entries == []


def test_a_pause_keeps_what_another_person_saves_at_that_moment(lab: Lab) -> None:
    class Overtaken:
        """A store in which another editor is faster."""

        def __getattr__(self, name: str) -> Any:
            return getattr(recipes, name)

        def change(self, *arguments: Any) -> Any:
            save_recipe(ports, recipe(name="Welcome back"), by="ben@example.com")
            return recipes.change(*arguments)

    ports, recipes = lab.ports, lab.ports.recipes
    pause_recipe(replace(ports, recipes=Overtaken()), "welcome", by="ann@example.com")
    stored = recipes.get("welcome")
    assert stored is not None
    assert (stored["name"], stored["status"]) == ("Welcome back", "paused")
