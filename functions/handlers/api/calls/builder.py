"""What builds recipes: what the workspace has, previews of audiences, and why a user fits or not."""

import csv
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import Field

from functions.domain.access import Subject, SubjectKind
from functions.domain.roles import Role
from functions.handlers.api.criteria_schema import Where, With
from functions.handlers.api.route import Call, Model, Reply, Route
from functions.usecases.dry_run.describe_workspace import WorkspaceShown, describe_workspace
from functions.usecases.dry_run.query_audience import preview_audience
from functions.usecases.dry_run.why import why
from functions.usecases.dry_run.why_report import Why
from functions.usecases.recipes.save import stored_recipe

_SAMPLES = 10


class PreviewOrder(Model):
    """The conditions of an audience; without any, all people."""

    where: Where | None = Field(default=None, description="Conditions on the people of the workspace.")
    with_: With | None = Field(default=None, alias="with", description="Models with one row a user.")


class WhyOrder(Model):
    """The user and the recipe to explain. The user's id is not in the address, which logs keep."""

    user_id: str
    recipe: str = Field(min_length=1, max_length=100, description="The id of a stored recipe.")


@dataclass(frozen=True, kw_only=True)
class AudiencePreview:
    """Who fits conditions: in words, how many, and some of them."""

    sentence: str
    count: int
    columns: Sequence[str]
    sample: Sequence[Sequence[str]]
    """Ten people at most, the same ones each time, without private columns."""


def get_workspace(call: Call) -> Reply:
    """Answer what conditions, templates and recipes of the workspace can use."""
    return Reply(data=describe_workspace(call.ports.workspace))


def post_audience_preview(call: Call) -> Reply:
    """Count the people who fit conditions, and show some of them."""
    order, ports = call.body, call.ports
    where = {"all": []} if order.where in (None, "") else order.where
    with TemporaryDirectory(prefix="tminus-") as name:
        found = preview_audience(
            ports.engine,
            {"where": where, "with": order.with_},
            ports.workspace,
            now=ports.clock.now(),
            folder=Path(name),
        )
        with closing(found.csv.open(encoding="utf-8", newline="")) as file:
            columns, *sample = islice(csv.reader(file), _SAMPLES + 1)
    data = AudiencePreview(sentence=found.description, count=found.count, columns=columns, sample=sample)
    return Reply(data=data, message=f"{found.count:,} users: {found.description}")


def post_why(call: Call) -> Reply:
    """Answer why a user would, or would not, get the pushes of a recipe."""
    asked: WhyOrder = call.body
    document = stored_recipe(call.ports, asked.recipe)
    found = why(call.ports, document, asked.user_id)
    return Reply(data=found, message=found.answer)


ROUTES = (
    Route(
        method="GET",
        path="/api/workspace",
        least=Role.VIEWER,
        summary="Describe the workspace: people, events, models to join, and jobs",
        serve=get_workspace,
        answer=WorkspaceShown,
        refusals=(409,),
    ),
    Route(
        method="POST",
        path="/api/audiences/preview",
        least=Role.OPERATOR,
        summary="Count the people who fit conditions, and show ten of them",
        serve=post_audience_preview,
        reads=lambda _: Subject(kind=SubjectKind.AUDIENCE),
        expensive=True,
        body=PreviewOrder,
        answer=AudiencePreview,
        refusals=(409,),
    ),
    Route(
        method="POST",
        path="/api/people/why",
        least=Role.OPERATOR,
        summary="Say why a user would, or would not, get the pushes of a recipe",
        serve=post_why,
        reads=lambda call: Subject(kind=SubjectKind.USER, name=call.body.user_id),
        expensive=True,
        body=WhyOrder,
        answer=Why,
        refusals=(404, 409),
    ),
)
