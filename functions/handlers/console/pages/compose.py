"""The composer: the push that a person writes, as phones show it, updated while typing."""

from collections.abc import Mapping
from dataclasses import replace

from flask import Response
from werkzeug.datastructures import MultiDict

from audience_jobs.errors import AudienceJobError
from functions.domain.errors import BadRecipe, Forbidden, NotFound
from functions.domain.push.images import Image, bad
from functions.domain.roles import Role
from functions.handlers.console.answering import part
from functions.handlers.console.composer import PEOPLE, Composer, composer_of, form_document
from functions.handlers.console.forms.recipe_form import Values
from functions.handlers.console.subjects import of_audience
from functions.handlers.console.visit import Route, Visit
from functions.usecases.dry_run.compose import audience_recipe
from functions.usecases.dry_run.sample_people import load_people, write_people

AT = "/recipes/compose"


def show(visit: Visit) -> Response:
    """Show the push of the submitted form. It reads no user data."""
    return _composed(visit, visit.request.form)


def load(visit: Visit) -> Response:
    """Find sample people of the form's audience, and show the push with the values of one of them."""
    form, document = visit.request.form, form_document(visit, visit.request.form)
    person = visit.field("view.person")
    try:
        recipe = audience_recipe(document)
        found = load_people(visit.ports, recipe, saved_as=visit.field("view.recipe"), person=person)
    except BadRecipe:  # the audience's own section says why
        return _composed(visit, form, trouble="Complete the audience first. Then its people can be loaded.")
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


def show_image(visit: Visit) -> Response:
    """Answer an image of a push, loaded as the check at T-30 does: from public addresses only, at most 1 MB.

    The browser loads nothing from the address itself, so the console's policy stays strict.
    """
    if visit.request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Forbidden("only a page of the console shows this image")
    images = visit.ports.images
    look, content = images.load(visit.asked("address")) if images else (None, b"")
    fault = bad(look, for_browsers=False) if look else None
    if not isinstance(look, Image) or fault:
        raise NotFound(f"no image: {fault.detail}" if fault else "images are not loaded here")
    kept = {"Cache-Control": "private, max-age=300"}
    return Response(content, content_type=f"image/{look.form.lower()}", headers=kept)


ROUTES = (
    Route(method="POST", path=AT, serve=show, least=Role.OPERATOR),
    Route(method="GET", path=f"{AT}/image", serve=show_image, least=Role.OPERATOR),
    Route(method="POST", path=f"{AT}/people", serve=load, least=Role.OPERATOR, reads=of_audience, expensive=True),
)
