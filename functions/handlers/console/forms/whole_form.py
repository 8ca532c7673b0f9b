"""The campaign form as a whole: a submitted one as a document, and a document as the values of one."""

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from functions.domain.recipe.read import Document
from functions.handlers.console.forms.criteria_form import shown_in_criteria, with_criteria
from functions.handlers.console.forms.form_fields import QueryField, query_field
from functions.handlers.console.forms.job_parameters import shown_in_fields, with_parameters
from functions.handlers.console.forms.recipe_form import Sent, Values, read_recipe, values_of
from functions.handlers.console.forms.typed_schedule import with_typed_schedule
from functions.handlers.console.visit import Visit
from functions.usecases.dry_run.describe_jobs import describe_jobs
from functions.usecases.recipes.audience import criteria_example


def read_form(visit: Visit, form: MultiDict[str, str], stored: Mapping[str, Any]) -> Sent:
    """Return what a submitted form makes of a stored document."""
    workspace = visit.ports.workspace
    sent = read_recipe(form, stored, criteria_field(visit))
    sent = with_parameters(with_typed_schedule(sent, stored, visit.now), describe_jobs(workspace))
    return with_criteria(sent, stored, workspace, visit.ports.segments.get)


def show_form(visit: Visit, document: Document) -> tuple[Values, int]:
    """Return the values of a document's form, and its number of pushes."""
    workspace = visit.ports.workspace
    values, pushes = values_of(document, criteria_field(visit))
    return shown_in_criteria(shown_in_fields(values, describe_jobs(workspace)), workspace), pushes


def criteria_field(visit: Visit) -> QueryField:
    """Return the field of JSON for criteria without fields of their own."""
    workspace = visit.ports.workspace
    return query_field(workspace.old_filters, criteria_example(workspace))
