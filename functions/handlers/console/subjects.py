"""Whose personal data a visit of the console reads, for the access log."""

from functions.domain.access import Subject, SubjectKind
from functions.handlers.console.visit import Visit


def of_audience(_: Visit) -> Subject:
    """Return the people of an audience that is queried now."""
    return Subject(kind=SubjectKind.AUDIENCE)


def of_recipe(visit: Visit) -> Subject:
    """Return the people of the recipe in the address."""
    return Subject(kind=SubjectKind.RECIPE, name=visit.path["recipe_id"])
