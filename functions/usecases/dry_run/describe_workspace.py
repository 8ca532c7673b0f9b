"""Describe a workspace for those who build audiences and recipes: nothing private."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audience_jobs.conditions.joining import joinable
from audience_jobs.conditions.operators import OPERATORS
from audience_jobs.conditions.traits import columns_of, traits_of
from audience_jobs.conditions.tree import ConditionType
from audience_jobs.workspace import Workspace
from audience_jobs.workspace.models import OPT_OUTS, PEOPLE, Models
from functions.usecases.cadence.change_rules import LayerShown, shown_layers
from functions.usecases.dry_run.describe_jobs import JobShown, describe_jobs


@dataclass(frozen=True, kw_only=True)
class ColumnShown:
    """A column of a model."""

    name: str
    type: str
    operators: Sequence[str]
    """What a condition can ask of it; nothing for a type that conditions do not read."""
    in_templates: bool
    """Whether an audience has it, so that templates can use it."""


@dataclass(frozen=True, kw_only=True)
class ModelShown:
    """A model, with its columns but `user_id` and those that are private."""

    name: str
    columns: Sequence[ColumnShown]


@dataclass(frozen=True, kw_only=True)
class TopicShown:
    """A topic, with its words for people."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class WorkspaceShown:
    """A workspace: what conditions, templates and recipes can use."""

    name: str
    user_ids: str
    """Which user ids are valid: `any` or `uuid`."""
    has_people: bool
    """Whether it has models; conditions need them."""
    people: Sequence[ColumnShown]
    """The columns of people, the traits that conditions compare."""
    events: Sequence[ModelShown]
    """What `did` and `did_not` count."""
    joinable: Sequence[ModelShown]
    """What `with` joins: models with one row a user. Models of events are among them, if a user has one at most."""
    opt_outs: bool
    """Whether the model of users who want no pushes is there."""
    jobs: Sequence[JobShown]
    layers: Sequence[LayerShown]
    topics: Sequence[TopicShown]
    """What recipes may name as their topic; any, where there are none."""
    channels: Sequence[str]
    """The app's Android channels."""
    defaults: Mapping[str, Any]
    """What a push carries if its recipe does not say: fields of a push."""


def describe_workspace(workspace: Workspace) -> WorkspaceShown:
    """Return what a workspace has. BadWorkspace for files that are wrong."""
    models = workspace.models
    traits = traits_of(models) if PEOPLE in models else None
    return WorkspaceShown(
        name=workspace.name,
        user_ids=workspace.user_ids,
        has_people=traits is not None,
        people=_columns(traits.people, models, PEOPLE) if traits else (),
        events=[_model(name, columns, models) for name, columns in traits.events.items()] if traits else (),
        joinable=[_model(name, _own(models, name), models) for name in joinable(models)],
        opt_outs=OPT_OUTS in models,
        jobs=describe_jobs(workspace),
        layers=shown_layers(workspace),
        topics=[TopicShown(id=topic, name=words) for topic, words in workspace.pushes.topics.items()],
        channels=workspace.pushes.channels,
        defaults=workspace.pushes.defaults,
    )


def _own(models: Models, name: str) -> Mapping[str, ConditionType]:
    public = models[name].public
    return {name: type_ for name, type_ in public.items() if name != "user_id"}  # type: ignore[misc]  # json has no operators


def _model(name: str, columns: Mapping[str, ConditionType], models: Models) -> ModelShown:
    return ModelShown(name=name, columns=_columns(columns, models, name))


def _columns(columns: Mapping[str, ConditionType], models: Models, model: str) -> Sequence[ColumnShown]:
    written = {column.name for column in columns_of(models[model])}
    return [
        ColumnShown(name=name, type=type_, operators=list(OPERATORS.get(type_, ())), in_templates=name in written)
        for name, type_ in columns.items()
    ]
