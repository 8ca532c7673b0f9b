"""The composer: the push that a person writes, as phones show it, updated while typing."""

from collections.abc import Mapping
from dataclasses import replace

from flask import Response
from werkzeug.datastructures import MultiDict

from audience_jobs.errors import AudienceJobError
from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import BadRecipe
from functions.domain.roles import Role
from functions.handlers.console.answering import part
from functions.handlers.console.composer import PEOPLE, Composer, composer_of, form_document
from functions.handlers.console.forms.recipe_form import Values
from functions.handlers.console.visit import Route, Visit
from functions.usecases.dry_run.compose import audience_recipe
from functions.usecases.dry_run.sample_people import load_people, write_people

AT = "/recipes/compose"


def show(visit: Visit) -> Response:
    """Show the push of the submitted form. It reads no store and no user data."""
    return _composed(visit, visit.request.form)


def load(visit: Visit) -> Response:
    """Find sample people of the form's audience, and show the push with the values of one of them."""
    form, document = visit.request.form, form_document(visit, visit.request.form)
    person = visit.field("view.person")
    try:
        recipe = audience_recipe(document)
        found = load_people(visit.ports, recipe, saved_as=visit.field("view.recipe"), person=person)
    except BadRecipe as error:
        reason = "; ".join(each.reason for each in error.errors)
        return _composed(visit, form, trouble=f"Choose an audience first: {reason}")
    except AudienceJobError as error:
        return _composed(visit, form, trouble=f"No people were loaded: {error}")
    row = "person" if person else "first"
    values = {PEOPLE: write_people(found), "view.row": row}
    if not any(each.users for each in found):
        return _composed(visit, form, values, trouble="This audience is empty now: nobody would get the push.")
    if person and not any(row[0] == person for each in found for row in each.rows):
        values["view.row"] = "first"
        return _composed(visit, form, values, trouble=f"{person} is not in this audience. Another person is shown.")
    return _composed(visit, form, values)


def _composed(visit: Visit, form: Mapping[str, str], values: Values | None = None, trouble: str = "") -> Response:
    values = {**form, **(values or {})}
    composer = composer_of(visit, form_document(visit, visit.request.form), values)
    return part(visit, "form/preview_now.html", composer=replace(composer, trouble=trouble))


def composer_for(visit: Visit, values: Values) -> Composer:
    """Return the composer for the first look at a form with these values."""
    return composer_of(visit, form_document(visit, MultiDict(values)), values)


def _audience(_: Visit) -> Subject:
    return Subject(kind=SubjectKind.AUDIENCE)


ROUTES = (
    Route(method="POST", path=AT, serve=show, least=Role.OPERATOR),
    Route(method="POST", path=f"{AT}/people", serve=load, least=Role.OPERATOR, reads=_audience, expensive=True),
)
