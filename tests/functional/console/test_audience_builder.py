"""The audience in the campaign form: rows of conditions, lists, SQL, who they find, and why a person fits."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.conditions.operators import OPERATORS
from audience_jobs.conditions.reading import read_condition
from audience_jobs.conditions.traits import traits_of
from audience_jobs.conditions.tree import EVERYBODY, AnyOf, Condition, Every, Happened, Named, Negated, Traits
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.workspace import Workspace
from functions.domain.audience.segments import Segment, with_segments
from functions.domain.ids import UserIdFormat
from functions.domain.roles import Role
from functions.handlers.console.forms.condition_rows import read_rows, show_rows
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.factories import push, recipe
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Page, Visitor

EDIT = "/recipes/welcome/edit"
AT = "/recipes/audience"
BOB = {"column": "username", "op": "is", "value": "bob"}
BOBS = Segment(id="bobs", name="Bobs", where=BOB)
TRAINED = {"did": "trained", "times": {"at_least": 2}, "within_days": 30}


@pytest.fixture
def gym(tmp_path: Path) -> Workspace:
    made = fitness(tmp_path / "fitness", devices=True, models=MODELS)
    workouts = made.folder / "data" / "workouts.csv"
    workouts.write_text(workouts.read_text().replace("2026-11-", "2026-02-"))  # before the laboratory's today
    return made


@pytest.fixture
def visitor(lab: Lab, gym: Workspace) -> Visitor:
    """A visitor of a workspace with models."""
    policy = replace(lab.ports.policy, user_id_format=UserIdFormat.ANY)
    lab.ports = replace(lab.ports, engine=DuckDBEngine(gym.folder / "data", gym), workspace=gym, policy=policy)
    return Visitor(lambda: lab.ports)


def save(lab: Lab, **criteria: Any) -> None:
    lab.save(recipe(audienceCriteria=criteria, pushSequence=[push(1, title="Hello", body="Spring is here")]))


def criteria(lab: Lab) -> Mapping[str, Any]:
    found: Mapping[str, Any] = lab.ports.recipes.get("welcome")["audienceCriteria"]  # type: ignore[index]
    return found


def fields(visitor: Visitor, page: str = EDIT) -> dict[str, list[str]]:
    return visitor.get(page).form(page).fields


def asked(visitor: Visitor, what: str, sent: Mapping[str, Any], **changes: Any) -> str:
    """Press a button of the builder as htmx does."""
    token = form_token_of(visitor, f"{AT}/{what}")
    response = visitor.post(f"{AT}/{what}", {**sent, **changes, "csrf": token}, status=200)
    return f'<form action="{EDIT}">{response.text}</form>'


def form_token_of(visitor: Visitor, path: str) -> str:
    """Return the token that a page has for an address of the builder."""
    page = visitor.get(EDIT)
    signs = {"shape": "who", "words": "who-words", "count": "who-count", "why": "who-why"}
    [values] = [each["hx-vals"] for _, each in page.elements if each.get("id") == signs[path.rpartition("/")[2]]]
    return values.split('"')[3]


# Rows


def plain(condition: Condition) -> Condition:
    """Return a condition without groups of one, which mean what is in them."""
    if isinstance(condition, Negated):
        return Negated(condition=plain(condition.condition))
    if isinstance(condition, Named):
        return replace(condition, condition=plain(condition.condition))
    if isinstance(condition, Happened):
        where = condition.where and plain(condition.where)
        return replace(condition, where=None if where == EVERYBODY else where)
    if isinstance(condition, Every | AnyOf):
        inside = tuple(plain(each) for each in condition.conditions)
        return inside[0] if len(inside) == 1 else type(condition)(conditions=inside)
    return condition


class Grammar:
    """Makes conditions of a workspace at random."""

    def __init__(self, traits: Traits, seed: int) -> None:
        self._traits = traits
        self._random = random.Random(seed)

    def condition(self, depth: int = 0, event: str = "") -> Any:
        pick = self._random.random()
        if depth < 6 and pick < 0.45:
            kind = self._random.choice(["all", "any", "not"])
            if kind == "not":
                return {"not": self.condition(depth + 1, event)}
            least = 1 if kind == "any" else 0
            return {kind: [self.condition(depth + 1, event) for _ in range(self._random.randint(least, 3))]}
        if not event and 0.45 <= pick < 0.52:
            return {"segment": BOBS.id, "where": BOBS.where}
        return self._event(depth) if not event and pick > 0.8 else self._compared(event)

    def _event(self, depth: int) -> Any:
        kind, model = self._random.choice(["did", "did_not"]), self._random.choice(list(self._traits.events))
        found: dict[str, Any] = {kind: model}
        if kind == "did" and self._random.random() < 0.6:
            found["times"] = self._random.choice([{"at_least": 3}, {"at_most": 0}, {"at_least": 2, "at_most": 5}])
        if self._random.random() < 0.5:
            found["within_days"] = self._random.randint(1, 90)
        if self._random.random() < 0.5:
            found["where"] = self.condition(depth + 1, model)
        return found

    def _compared(self, event: str) -> Any:
        makers: dict[str, Callable[[], Any]]
        columns = self._traits.events[event] if event else self._traits.people
        name, type_ = self._random.choice([each for each in columns.items() if each[1] in OPERATORS])
        op, takes = self._random.choice(list(OPERATORS[type_].items()))
        makers = {
            "nothing": lambda: None,
            "one": lambda: self._value(type_),
            "two": lambda: sorted([self._value(type_), self._value(type_)]),
            "several": lambda: [self._value(type_) for _ in range(self._random.randint(1, 3))],
            "days": lambda: self._random.randint(1, 90),
            "days ahead": lambda: self._random.randint(0, 90),
        }
        value = makers[takes]()
        return {"column": name, "op": op, **({} if value is None else {"value": value})}

    def _value(self, type_: str) -> Any:
        known: dict[str, list[Any]] = {
            "integer": [0, -3, 12, 2**53],
            "number": [0, 1.5, -2.25, 1e21, 80],
            "boolean": [True, False],
            "date": ["2026-01-31", "1990-02-28"],
            "timestamp": ["2026-01-31", "2026-02-01T10:30:00Z"],
            "id": ["1", 7, "x y"],
        }
        texts = ["bob", "Zoë, the first", " edge ", 'a "quote"', "two\nlines", "<b>", "123", "true"]
        return self._random.choice(known.get(type_, texts))


def test_rows_mean_what_the_condition_means(gym: Workspace) -> None:
    traits = traits_of(gym.models)
    for seed in range(300):
        condition = Grammar(traits, seed).condition()
        read = read_rows(show_rows(condition, traits), traits)
        where, _ = with_segments(read.condition, {BOBS.id: BOBS}.get)
        assert plain(read_condition(where, traits)) == plain(read_condition(condition, traits)), condition


def test_an_unchanged_form_keeps_the_conditions_as_they_are_stored(lab: Lab, visitor: Visitor) -> None:
    deep = {"not": {"any": [{"all": [{"any": [{"all": [{"not": BOB}]}]}]}]}}
    kept = {"where": {"any": [deep, {**TRAINED, "where": {"column": "minutes", "op": "between", "value": [20, 60]}}]}}
    everybody: dict[str, Any] = {"all": []}
    for where in (kept, {"where": BOB}, {"where": everybody}):
        save(lab, **where, **{"with": ["totals"]})
        visitor.send(EDIT, EDIT)
        assert criteria(lab)["where"] == where["where"]
        assert criteria(lab)["with"] == ["totals"]


def test_rows_are_added_changed_and_removed_without_scripts(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]})
    page = Page(visitor.send(EDIT, EDIT, {"shape": "add-event:where"}, status=200).text)
    sent = page.form(EDIT).fields | {"where.1.model": ["trained"], "where.1.at_least": ["2"]}
    page = Page(visitor.post(EDIT, {**sent, "shape": "add-column:where.1.where"}, status=200).text)
    sent = page.form(EDIT).fields | {
        "where.1.where.0.column": ["minutes"],
        "where.1.where.0.op": ["at_least"],
        "where.1.where.0.value": ["30"],
    }
    page = Page(visitor.post(EDIT, {**sent, "shape": "remove:where.0"}, status=200).text)
    visitor.post(EDIT, page.form(EDIT).fields, status=303)
    minutes = {"column": "minutes", "op": "at_least", "value": 30}
    assert criteria(lab)["where"] == {"all": [{"did": "trained", "times": {"at_least": 2}, "where": minutes}]}


def test_a_list_of_values_says_how_to_write_it_also_beside_an_error(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [{"column": "username", "op": "one_of", "value": ["bob", "Ann, the 2nd"]}]})
    hint = "One value per line. A comma belongs to its value."
    page = visitor.get(EDIT)
    assert page.form(EDIT).fields["where.0.value"] == ["bob\nAnn, the 2nd"]
    assert hint in page.text
    page = Page(visitor.send(EDIT, EDIT, {"where.0.value": ""}, status=422).text)
    assert hint in page.text
    [values] = [each for tag, each in page.elements if tag == "textarea" and each["id"] == "where.0.value"]
    assert values["aria-describedby"] == "where.0.value-hint where.0.value-error"


def test_other_lists_say_how_they_are_separated(visitor: Visitor) -> None:
    text = visitor.get("/recipes/new").text
    assert "One per line, or separated by commas or spaces." in text, "alert channels, tags"
    assert "One user ID per line, or separated by commas." in text


def test_errors_of_conditions_name_no_columns_and_models(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]})
    wrong = '{"where": {"any": [{"column": "call_me", "op": "not_empty"}, {"did": "swam"}]}}'
    changes = {"where.0.json": '{"column": "call_me", "op": "not_empty"}'}
    text = Page(visitor.send(EDIT, EDIT, changes, status=422).text).text
    assert "is not in the data on people" in text
    assert "column of" not in text
    text = Page(visitor.send(EDIT, EDIT, {"audience": "sql", "audienceCriteria.query": wrong}, status=422).text).text
    assert "is not an event" in text
    assert "model of events" not in text


def test_a_group_is_added_in_place_and_its_first_field_has_the_focus(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]})
    page = Page(asked(visitor, "shape", fields(visitor), shape="add-group:where"))
    [focused] = [each["name"] for _, each in page.elements if "autofocus" in each]
    assert focused == "where.1.0.column"
    names = {each.get("name") for _, each in page.elements}
    assert {"where.0.value", "where.1.match", "where.1.0.column"} <= names


def test_a_new_campaign_reaches_everybody_only_if_its_empty_row_is_removed(visitor: Visitor) -> None:
    made = {
        "name": "Spring",
        "schedule.executionTime": "09:30",
        "pushSequence[0].title": "Hello",
        "pushSequence[0].body": "Spring is here",
        "pushSequence[0].layerId": "2",
    }
    text = Page(visitor.send("/recipes/new", "/recipes/new", made, status=422).text).text
    assert "Condition 1: Choose what to compare" in text
    page = Page(visitor.send("/recipes/new", "/recipes/new", {**made, "shape": "remove:where.0"}, status=200).text)
    assert "Everyone." in page.text
    visitor.post("/recipes/new", page.form("/recipes/new").fields, status=303)
    assert visitor.get("/recipes/spring/edit").form("/recipes/spring/edit").fields["audience"] == ["conditions"]


def test_errors_stand_at_the_row_and_nothing_is_lost(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB, {"column": "weight", "op": "at_least", "value": 60}]})
    page = Page(visitor.send(EDIT, EDIT, {"where.1.value": "heavy"}, status=422).text)
    assert "Condition 2: must be a number" in page.text
    [row] = [each for _, each in page.elements if each.get("id") == "where.1.value"]
    assert row["value"] == "heavy"
    assert row["aria-invalid"] == "true"
    assert any(each.get("href") == "#where.1.value" for _, each in page.elements)


def test_sentences_follow_the_rows(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]})
    sent = fields(visitor)
    assert "Users whose username is &#34;ann&#34;." in asked(visitor, "words", sent, **{"where.0.value": "ann"})
    assert "Complete the conditions" in asked(visitor, "words", sent, **{"where.0.value": ""})


# Other ways


def test_a_list_of_people_replaces_conditions(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]})
    visitor.send(EDIT, EDIT, {"audience": "list", "audience.ids": "1, 2\n30\n"})
    assert criteria(lab)["manualUserIds"] == ["1", "2", "30"]
    assert "where" not in criteria(lab)
    assert fields(visitor)["audience"] == ["list"]
    text = Page(visitor.send(EDIT, EDIT, {"audience.ids": " "}, status=422).text).text
    assert "User IDs: Add at least one user ID" in text


def test_ids_that_belong_to_nobody_are_counted_and_named(lab: Lab, visitor: Visitor) -> None:
    save(lab, manualUserIds=["1", "2"])
    assert "no one in the user data" not in asked(visitor, "count", fields(visitor))
    strangers = " ".join(f"x{number}" for number in range(1, 8))
    page = Page(asked(visitor, "count", fields(visitor) | {"audience.ids": [f"1 2 x1 {strangers}"]}))
    assert "2 people match" in page.text
    assert "7 IDs belong to no one in the user data : x1 , x2 , x3 , x4 , x5 and 2 more." in page.text
    page = Page(asked(visitor, "count", fields(visitor) | {"audience.ids": ["x1"]}))
    assert "1 ID belongs to no one in the user data : x1 ." in page.text
    assert "Check the IDs." in page.text


def test_ids_that_other_criteria_exclude_are_not_called_unknown(lab: Lab, visitor: Visitor) -> None:
    save(lab, manualUserIds=["1", "2", "x1"])
    query = {"audienceCriteria.query": ['{"where": {"column": "username", "op": "is", "value": "bob"}}']}
    page = Page(asked(visitor, "count", fields(visitor) | query))
    assert "1 person matches" in page.text
    assert "1 ID belongs to no one in the user data : x1 ." in page.text


def test_other_criteria_stay_in_the_advanced_field(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]}, manualUserIds=["2"], customQuery="SELECT user_id FROM trained")
    visitor.send(EDIT, EDIT, {"where.0.value": "ann"})
    assert criteria(lab)["where"] == {"all": [{**BOB, "value": "ann"}]}
    assert criteria(lab)["manualUserIds"] == ["2"]
    assert criteria(lab)["customQuery"] == "SELECT user_id FROM trained"


def test_the_same_criteria_in_two_places_are_refused(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]})
    changes = {"audienceCriteria.query": '{"where": {"all": []}}'}
    text = Page(visitor.send(EDIT, EDIT, changes, status=422).text).text
    assert "has where, and so do the fields above: keep one of the two" in text


def test_conditions_replace_a_job_and_its_parameters(lab: Lab, visitor: Visitor) -> None:
    save(lab, customScript={"scriptId": "everybody", "parameters": {"most": 3}, "ours": 1})
    rows = {"where.0.column": "username", "where.0.op": "is", "where.0.value": "bob"}
    visitor.send(EDIT, EDIT, {"audience": "conditions", **rows})
    assert criteria(lab)["where"] == {"all": [BOB]}
    assert criteria(lab)["customScript"] == {"ours": 1}


# Who they find


def test_people_are_counted_with_those_who_can_be_reached(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": []})
    text = asked(visitor, "count", fields(visitor))
    assert "Everyone: 3 people" in text
    assert "2 of them can be reached" in text
    assert "Ann" in text
    assert SECRET not in text
    save(lab, where={"all": [TRAINED]})
    assert "1 person matches" in asked(visitor, "count", fields(visitor))


def test_a_count_of_zero_warns(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [{**BOB, "value": "none"}]})
    text = asked(visitor, "count", fields(visitor))
    assert "Nobody matches" in text
    assert "notice wait" in text


def test_a_count_names_the_row_at_fault(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]})
    page = Page(asked(visitor, "count", fields(visitor), **{"where.0.value": ""}))
    assert "Condition 1 : Enter a value" in page.text
    assert any(each.get("id") == "where.0.value-error" for _, each in page.elements)


def test_sql_is_tried_and_its_errors_are_shown(lab: Lab, visitor: Visitor) -> None:
    save(lab, customQuery="SELECT user_id, minutes AS spent FROM trained WHERE minutes > 40")
    sent = fields(visitor)
    assert sent["audience"] == ["sql"]
    text = asked(visitor, "count", sent)
    assert "1 person matches" in text
    assert "spent" in text
    assert "Query" in asked(visitor, "count", sent, **{"audience.sql": "SELECT user_id FROM trained WHERE ("})
    assert "Not counted" in asked(visitor, "count", sent, **{"audience.sql": "SELECT user_id, nothing FROM trained"})


def test_why_a_person_is_in_or_out(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB, TRAINED]})
    sent = fields(visitor)
    page = Page(asked(visitor, "why", sent, **{"audience.person": "1"}))
    assert "Out: 1 does not fit the audience now." in page.text
    assert 'username is "bob" "ann" Does not fit' in page.text
    assert "2 trained, the last on 2026-02-21" in page.text
    assert "No person has the ID nobody" in asked(visitor, "why", sent, **{"audience.person": "nobody"}).replace(
        "<bdi>", ""
    )
    assert [entry.route for entry in lab.ports.accesses.newest(most=9)] == ["POST console/recipes/audience/why"] * 2


def test_viewers_see_no_people(visitor: Visitor, lab: Lab) -> None:
    save(lab, where={"all": []})
    sent = fields(visitor)
    tokens = {what: form_token_of(visitor, f"{AT}/{what}") for what in ("shape", "words", "count", "why")}
    visitor.become(Role.VIEWER)
    for what, token in tokens.items():
        visitor.post(f"{AT}/{what}", {**sent, "csrf": token}, status=403)


def test_the_preview_knows_the_audience_of_the_rows(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [BOB]})
    page = visitor.get(EDIT)
    assert "username" in page.text
    assert "Choose an audience to use variables" not in page.text
    posts = next(each for _, each in page.elements if each.get("hx-post") == "/recipes/compose/people")
    token = json.loads(posts["hx-vals"])["csrf"]
    loaded = visitor.post("/recipes/compose/people", {**fields(visitor), "csrf": token}, status=200)
    assert "one of 1 person when loaded" in Page(f"<form action=''>{loaded.text}</form>").text


def test_the_preview_knows_the_columns_before_the_conditions_are_complete(visitor: Visitor) -> None:
    page = visitor.get("/recipes/new")
    assert "Complete the conditions" in page.text
    assert "Choose an audience to use variables" not in page.text
