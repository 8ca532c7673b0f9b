"""Segments in the console: rows of an audience, conditions saved as one, and the pages where they are changed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.audience.segments import Segment
from functions.domain.audit import Action, Deed
from functions.domain.roles import Role
from functions.usecases.recipes.segments import save_segment
from tests.factories import push, recipe
from tests.functional.conftest import Lab
from tests.functional.console.test_audience_builder import BOB, EDIT, asked, criteria, fields, gym, save, visitor
from tests.functional.console.visitor import Page, Visitor, path_of

__all__ = ["gym", "visitor"]

BOBS = "/segments/bobs"
SECOND = timedelta(seconds=1)
ANN = {**BOB, "value": "ann"}


def store(lab: Lab, where: Any = BOB, name: str = "Bobs", segment_id: str = "bobs") -> None:
    save_segment(lab.ports, Segment(id=segment_id, name=name, where=where), by="ana@kicks.example")


def use(lab: Lab, recipe_id: str, **more: Any) -> None:
    where = {"where": {"all": [{"segment": "bobs", "where": BOB}]}}
    lab.clock.advance_to(lab.clock.now() + SECOND)
    lab.save(recipe(id=recipe_id, audienceCriteria=where, pushSequence=[push(1, title="Hi", body="Hi")], **more))


def where_of(lab: Lab, recipe_id: str) -> Any:
    stored = lab.ports.recipes.get(recipe_id)
    assert stored is not None
    return stored["audienceCriteria"]["where"]


def row(page: Page, name: str) -> Mapping[str, str]:
    [found] = [each for _, each in page.elements if each.get("id") == name]
    return found


# In the audience of a campaign


def test_a_segment_opens_as_a_row_and_an_unchanged_form_keeps_it(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    member = {"segment": "bobs", "where": BOB}
    for where in (member, {"not": member}, {"any": [{"not": member}, ANN, {"all": [member]}]}):
        save(lab, where=where)
        page = visitor.get(EDIT)
        assert 'Users whose username is "bob".' in page.text
        assert any(each.get("href") == "/segments/bobs" for _, each in page.elements)
        visitor.send(EDIT, EDIT)
        assert criteria(lab)["where"] == where


def test_a_row_is_added_and_saved_with_the_conditions_of_the_segment(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    save(lab, where={"all": [ANN]})
    page = Page(visitor.send(EDIT, EDIT, {"shape": "add-segment:where"}, status=200).text)
    assert "autofocus" in row(page, "where.1.segment")
    sent = page.form(EDIT).fields | {"where.match": "any", "where.1.is": "not_in", "where.1.segment": ""}
    text = Page(visitor.post(EDIT, sent, status=422).text).text
    assert "Condition 2: Choose a segment" in text
    visitor.post(EDIT, sent | {"where.1.segment": "bobs"}, status=303)
    assert criteria(lab)["where"] == {"any": [ANN, {"not": {"segment": "bobs", "where": BOB}}]}


@pytest.mark.parametrize(
    ("kind", "first"), [("add-segment", "segment"), ("add-event", "model"), ("add-group", "0.column")]
)
def test_what_is_added_takes_the_place_of_the_empty_row_of_a_new_form(
    lab: Lab, visitor: Visitor, kind: str, first: str
) -> None:
    store(lab)
    new = "/recipes/new"
    assert row(visitor.get(new), "where.0.column")
    page = Page(visitor.send(new, new, {"shape": f"{kind}:where"}, status=200).text)
    assert "autofocus" in row(page, f"where.0.{first}")
    assert not [name for name in page.form(new).fields if name.startswith("where.1.")]


def test_a_row_in_which_a_person_has_chosen_something_stays(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    new, chosen = "/recipes/new", {"where.0.column": "username"}
    page = Page(visitor.send(new, new, {**chosen, "shape": "add-segment:where"}, status=200).text)
    assert page.form(new).fields["where.0.column"] == ["username"]
    assert "autofocus" in row(page, "where.1.segment")


def test_the_people_of_a_segment_are_counted_and_said_in_words(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    save(lab, where={"all": [{"segment": "bobs", "where": BOB}]})
    sent = fields(visitor)
    assert "1 person matches" in asked(visitor, "count", sent)
    assert "in the segment" in asked(visitor, "words", sent)


def test_a_deleted_segment_is_an_error_beside_its_row(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    save(lab, where={"all": [ANN, {"segment": "bobs", "where": BOB}]})
    deed = Deed(by="by hand", at=lab.clock.now(), action=Action.DELETED)
    lab.ports.segments.change("bobs", lambda _: None, deed)
    page = visitor.get(EDIT)
    assert "This segment was deleted. Choose another one, or remove this condition" in page.text
    assert page.form(EDIT).fields["where.1.segment"] == ["bobs"]
    page = Page(visitor.send(EDIT, EDIT, {"name": "Other"}, status=422).text)
    assert "Fix 1 problem" in page.text
    assert row(page, "where.1.segment")["aria-invalid"] == "true"
    assert "Not counted" in asked(visitor, "count", fields(visitor))


def test_conditions_are_saved_as_a_segment_in_place(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"any": [ANN, BOB]})
    sent = fields(visitor)
    page = Page(asked(visitor, "shape", sent, shape="save-segment", **{"segment.name": "Ann & Bob"}))
    assert page.form(EDIT).fields["where.0.segment"] == ["ann-bob"]
    assert "autofocus" in row(page, "where.0.segment")
    [made] = lab.ports.segments.all()
    assert (made.name, made.where, made.updated_by) == ("Ann & Bob", {"any": [ANN, BOB]}, "ana@kicks.example")
    assert criteria(lab)["where"] == {"any": [ANN, BOB]}, "the campaign itself is not saved"


def test_saving_as_a_segment_without_scripts_loses_nothing_of_the_form(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [ANN]})
    typed = {"name": "Typed", "shape": "save-segment", "segment.name": "会員"}
    page = Page(visitor.send(EDIT, EDIT, typed, status=200).text)
    found = page.form(EDIT).fields
    assert (found["name"], found["where.0.segment"]) == (["Typed"], ["segment"])
    visitor.post(EDIT, found, status=303)
    assert criteria(lab)["where"] == {"all": [{"segment": "segment", "where": {"all": [ANN]}}]}


def test_no_name_leads_to_the_address_of_another_page(lab: Lab, visitor: Visitor) -> None:
    save(lab, where={"all": [ANN]})
    asked(visitor, "shape", fields(visitor), shape="save-segment", **{"segment.name": "New"})
    asked(visitor, "shape", fields(visitor), shape="save-segment", **{"segment.name": "New!"})
    assert [each.id for each in lab.ports.segments.all()] == ["new-2", "new-3"]


def test_what_is_wrong_with_a_new_segment_stands_beside_it(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    save(lab, where={"all": [ANN]})
    wrong = {"where.0.value": "", "segment.name": " BOBS "}
    page = Page(asked(visitor, "shape", fields(visitor), shape="save-segment", **wrong))
    assert "There is a segment called BOBS already. Choose another name" in page.text
    assert "Enter a value" in page.text
    assert row(page, "segment.name")["aria-invalid"] == row(page, "where.0.value")["aria-invalid"] == "true"
    assert len(lab.ports.segments.all()) == 1


# The pages


def test_the_list_says_who_is_in_a_segment_and_how_many_campaigns_use_it(lab: Lab, visitor: Visitor) -> None:
    assert "Create the first segment" in visitor.get("/segments").text
    store(lab)
    use(lab, "one")
    use(lab, "two")
    page = visitor.get("/segments")
    assert 'Bobs Users whose username is "bob" 2 ' in page.text
    assert "ana@kicks.example" in page.text
    assert any(each.get("href") == "/segments" for _, each in visitor.get("/recipes").elements)


def test_a_segment_is_created_with_all_errors_at_once(lab: Lab, visitor: Visitor) -> None:
    new = "/segments/new"
    page = Page(visitor.send(new, new, {"description": "Kept"}, status=422).text)
    assert "Name: Enter a name" in page.text
    assert "Condition 1: Choose what to compare" in page.text
    sent = page.form(new).fields | {
        "name": "Bobs",
        "where.0.column": "username",
        "where.0.op": "is",
        "where.0.value": "bob",
    }
    assert path_of(visitor.post(new, sent, status=303)) == BOBS
    [made] = lab.ports.segments.all()
    assert (made.name, made.description, made.where) == ("Bobs", "Kept", {"all": [BOB]})


def test_a_change_asks_first_and_names_who_is_affected(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    use(lab, "one", name="Spring", status="active")
    page = Page(visitor.send(BOBS, BOBS, {"where.0.value": "ann"}, status=200).text)
    assert "Not saved yet: 1 campaign uses this segment." in page.text
    assert "Spring" in page.text
    assert "Next send" in page.text
    assert lab.ports.segments.all()[0].where == BOB
    again = Page(visitor.post(BOBS, page.form(BOBS).fields | {"where.0.value": "zoe"}, status=200).text)
    assert "Not saved yet" in again.text, "the agreement was for another change"
    saved = visitor.post(BOBS, page.form(BOBS).fields, status=303)
    assert "Saved. Applies from the next send of 1 campaign" in visitor.get(saved.headers["Location"]).text
    assert where_of(lab, "one") == {"all": [{"segment": "bobs", "where": {"all": [ANN]}}]}


def test_a_change_is_counted_before_and_after(lab: Lab, visitor: Visitor) -> None:
    store(lab, {"all": []})
    use(lab, "one")
    page = Page(visitor.send(BOBS, BOBS, {"shape": "add-column:where"}, status=200).text)
    change = {"where.0.column": "username", "where.0.op": "is", "where.0.value": "bob"}
    page = Page(visitor.post(BOBS, page.form(BOBS).fields | change, status=200).text)
    token = row(page, "segment-counts")["hx-vals"].split('"')[3]
    counts = visitor.post(f"{BOBS}/compare", page.form(BOBS).fields | {"csrf": token}, status=200)
    assert Page(counts.text).text == "Now 3 people → After saving 1 person"


def test_another_name_asks_nothing_and_keeps_the_conditions_as_stored(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    use(lab, "one")
    saved = visitor.send(BOBS, BOBS, {"name": "All Bobs"})
    assert "Applies from" not in visitor.get(saved.headers["Location"]).text
    [stored] = lab.ports.segments.all()
    assert (stored.id, stored.name, stored.where) == ("bobs", "All Bobs", BOB)


def test_the_second_of_two_tabs_sees_the_first_and_loses_nothing(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    first = visitor.get(BOBS).form(BOBS).fields
    visitor.send(BOBS, BOBS, {"name": "Theirs"})
    page = Page(visitor.post(BOBS, first | {"where.0.value": "ann"}, status=409).text)
    assert "Not saved: ana@kicks.example has changed this segment since you opened it" in page.text
    assert "Name, theirs: Theirs" in page.text
    kept = page.form(BOBS).fields
    assert (kept["name"], kept["where.0.value"]) == (["Bobs"], ["ann"])
    visitor.post(BOBS, kept, status=303)
    assert lab.ports.segments.all()[0].where == {"all": [ANN]}


def test_a_segment_that_was_deleted_meanwhile_can_be_created_again(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    sent = visitor.get(BOBS).form(BOBS).fields | {"where.0.value": "ann"}
    visitor.send(f"{BOBS}/delete", f"{BOBS}/delete")
    page = Page(visitor.post(BOBS, sent, status=409).text)
    assert "this segment was deleted since you opened it" in page.text
    visitor.post("/segments/new", page.form("/segments/new").fields, status=303)
    assert lab.ports.segments.all()[0].where == {"all": [ANN]}


def test_a_used_segment_is_not_deleted(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    sent = visitor.get(f"{BOBS}/delete").form(f"{BOBS}/delete").fields
    use(lab, "one", name="Spring")
    assert "1 campaign uses this segment" in visitor.get(f"{BOBS}/delete").text
    page = Page(visitor.post(f"{BOBS}/delete", sent, status=409).text)
    assert "Can't delete Bobs" in page.text
    assert "Spring" in page.text
    lab.ports.recipes.change("one", lambda _: None)
    visitor.post(f"{BOBS}/delete", sent, status=303)
    assert lab.ports.segments.all() == []


def test_a_campaign_that_cannot_be_changed_is_named(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    use(lab, "one")
    lab.ports.recipes.change("one", lambda stored: {**(stored or {}), "pushSequence": "none"})
    page = Page(visitor.send(BOBS, BOBS, {"where.0.value": "ann"}, status=200).text)
    answer = visitor.post(BOBS, page.form(BOBS).fields, status=303)
    assert "The campaign one could not be changed" in visitor.get(answer.headers["Location"]).text


def test_viewers_read_and_change_nothing(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    use(lab, "one", name="Spring")
    visitor.become(Role.VIEWER)
    page = visitor.get(BOBS)
    assert 'Users whose username is "bob".' in page.text
    assert "Used by 1 campaign Spring" in page.text
    assert page.forms == []
    assert not any(each.get("href") == "/segments/new" for _, each in visitor.get("/segments").elements)


def test_activity_names_the_segment_and_leads_to_it(lab: Lab, visitor: Visitor) -> None:
    store(lab)
    page = visitor.get("/audit")
    assert "ana@kicks.example created the segment Bobs" in page.text
    assert any(each.get("href") == BOBS for _, each in page.elements)
    visitor.send(f"{BOBS}/delete", f"{BOBS}/delete")
    page = visitor.get("/audit")
    assert "deleted the segment Bobs" in page.text
    assert visitor.get("/segments/gone", status=404).text.count("Segment not found")


def test_names_are_shown_as_text(lab: Lab, visitor: Visitor) -> None:
    hostile = "<script>alert(1)</script>"
    store(lab, name=hostile)
    save(lab, where={"all": [{"segment": "bobs", "where": BOB}]})
    for path in ("/segments", BOBS, f"{BOBS}/delete", EDIT, "/audit"):
        response = visitor.open("GET", path)
        assert "<script>alert" not in response.text
        assert hostile in Page(response.text).text + str(Page(response.text).elements)


def test_a_workspace_without_models_says_so_and_leads_on(lab: Lab) -> None:
    other = Visitor(lambda: lab.ports)
    for path in ("/segments", "/segments/new"):
        page = other.get(path)
        assert "Segments are not available in this workspace" in page.text
        assert any(each.get("href") == "/recipes" for _, each in page.elements)
    assert not any(each.get("href") == "/segments" for _, each in other.get("/recipes").elements)
    deed = Deed(by="ana", at=lab.clock.now(), action=Action.SAVED)
    lab.ports.segments.change("bobs", lambda _: Segment(id="bobs", name="Bobs", where=BOB), deed)
    assert "Bobs" in other.get(BOBS).text, "one from before can be read"
