"""The audience of the campaign form in a browser: rows in place, counts, a file of ids, and where the focus goes."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from audience_jobs.engines.duckdb import DuckDBEngine
from functions.domain.ids import UserIdFormat
from functions.handlers.console.forms.criteria_form import WAYS
from tests.audience_jobs.fitness import MODELS, fitness
from tests.browser.conftest import Console, OpenPage
from tests.factories import push, recipe
from tests.functional.conftest import Lab

EDIT = "/recipes/welcome/edit"


@pytest.fixture
def lab(lab: Lab, tmp_path: Path) -> Lab:
    """A laboratory of a workspace with models; the campaign goes to everybody."""
    gym = fitness(tmp_path / "fitness", devices=True, models=MODELS)
    policy = replace(lab.ports.policy, user_id_format=UserIdFormat.ANY)
    lab.ports = replace(lab.ports, engine=DuckDBEngine(gym.folder / "data", gym), workspace=gym, policy=policy)
    hello = push(1, title="Hello", body="Spring is here")
    lab.save(recipe(audienceCriteria={"where": {"all": []}}, pushSequence=[hello]))
    return lab


@pytest.mark.long
def test_conditions_are_built_counted_and_saved(open_page: OpenPage, lab: Lab) -> None:
    page = open_page(EDIT)
    page.get_by_role("button", name="Count people").click()
    expect(page.locator("#who-found")).to_contain_text("Everyone: 3 people; 2 of them can be reached", timeout=30_000)
    page.get_by_role("button", name="Add condition").focus()
    page.keyboard.press("Enter")
    column = page.get_by_label("Condition 1: what to compare")
    expect(column).to_be_focused()
    column.select_option("username")
    expect(page.locator("#who-found")).to_contain_text("The audience has changed. Counting again")
    expect(column).to_be_focused()
    page.get_by_label("Condition 1: value").fill("bob")
    page.keyboard.press("Tab")
    expect(page.locator("#who-words")).to_have_text('Users whose username is "bob".')
    expect(page.locator("#who-found")).to_contain_text("1 person matches", timeout=30_000)
    page.get_by_text("Why is this person in or out?").click()
    page.get_by_label("User ID", exact=True).fill("1")
    page.keyboard.press("Enter")
    expect(page.locator("#who-answer")).to_contain_text("Out: 1 does not fit the audience now.", timeout=30_000)
    page.get_by_role("button", name="Save").last.click()
    page.wait_for_url("**/recipes/welcome?**")
    stored = lab.ports.recipes.get("welcome")
    assert stored is not None
    assert stored["audienceCriteria"]["where"] == {"all": [{"column": "username", "op": "is", "value": "bob"}]}


@pytest.mark.long
def test_a_file_fills_the_list_and_says_what_it_left_out(open_page: OpenPage, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text('name;user_id\nAnn;1\n"Bob; the second";2\nBob;2\nNo id;\n', encoding="utf-8")
    page = open_page(EDIT)
    page.get_by_role("radio", name=WAYS["list"][0]).check()
    expect(page.get_by_role("button", name="Add condition")).to_be_hidden()
    page.set_input_files("[data-ids-file]", people)
    expect(page.locator("[name='audience.ids']")).to_have_value("1\n2")
    report = page.get_by_role("status").filter(has_text="in the list")
    expect(report).to_contain_text("2 people in the list")
    expect(report).to_contain_text("1 duplicate left out")
    expect(report).to_contain_text("1 line has no valid user ID (line 5: empty)")


@pytest.mark.long
def test_the_form_works_without_scripts(open_page: OpenPage, console: Console) -> None:
    page = open_page(EDIT, java_script_enabled=False)
    page.get_by_role("button", name="Add condition").click()
    expect(page.get_by_label("Condition 1: what to compare")).to_be_focused()
    page.get_by_label("Condition 1: what to compare").select_option("username")
    page.get_by_role("button", name="Update choices").click()
    page.get_by_label("Condition 1: value").fill("bob")
    page.get_by_role("button", name="Save").last.click()
    assert page.url.startswith(f"{console.url}/recipes/welcome?")
