"""Cadence: the rules, the users that they allow, and pushes of other systems that the ledger counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from functions.domain.access import Subject
from functions.domain.cadence.rule_changes import MOST_COUNT, MOST_HOURS
from functions.domain.errors import BadFields, FieldError
from functions.domain.roles import Role
from functions.handlers.api.layer import RULES, AnyLayer
from functions.handlers.api.route import Call, Form, Model, Reply, Route, Upload, uploaded
from functions.ports import Ports
from functions.usecases.by_hand.upload_in_bucket import MOST_BYTES, open_upload
from functions.usecases.cadence.change_rules import (
    LayerShown,
    Rules,
    change_rules,
    shown_layers,
    shown_rules,
    version_of_rules,
)
from functions.usecases.cadence.filter_audience import filter_audience
from functions.usecases.cadence.import_history import Imported, import_history
from functions.usecases.cadence.rules_in_force import ignored_rules, rules_in_force
from functions.usecases.cadence.track import Tracked, track_notification

_MOST_IDS_BYTES = 20_000_000

ChangedRule = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "title": "ChangedRule",
            "properties": {
                "name": {"type": "string"},
                "hours": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_HOURS},
                "count": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_COUNT},
                "active": {"type": ["boolean", "null"]},
            },
            "required": ["name"],
        }
    ),
]
"""A change of a named rule; `change_rules` checks it."""


class RulesChange(Model):
    """New `hours`, `count` or `active` of the named rules. Everything else stays."""

    rules: list[ChangedRule] = Field(examples=[[]], json_schema_extra={RULES: True})


class Filter(Model):
    """Users, and the layer of the push to check."""

    user_ids: list[Any] = Field(description="Texts. Any other value is excluded and counted as an invalid id.")
    layer_id: AnyLayer


@dataclass(frozen=True, kw_only=True)
class Filtered:
    """The users who may get the push now, and the number of others by reason."""

    eligible_user_ids: Sequence[str]
    excluded_count: int
    exclusion_breakdown: Mapping[str, int]
    warning: str
    """Why no rule was applied; empty if the rules were applied."""


class Notification(Model):
    """A push that another system sent. The same user, layer and second is the same push, and so is the same `id`."""

    user_id: str
    layer_id: AnyLayer
    sent_at: str | None = Field(default=None, description="An instant with its zone; now, if it is missing.")
    id: str | None = Field(default=None, max_length=100, description="A name for it, so that a repeat is recognized.")
    title: str | None = None


class HistoryFile(Form):
    """A CSV with the columns `user_id`, `layer` or `layer_id`, `sent_at`, and `recipe`, `title` or `push_title`."""

    file: Upload = None
    file_address: str = Field(
        default="",
        description="The CSV in the deployment's own bucket, gs://BUCKET/uploads/NAME, instead of `file`: Cloud Run "
        "takes at most 32 MiB in a request.",
    )
    dry_run: bool = Field(default=False, description="Check and count every row, but write nothing.")


def get_cadence_rules(call: Call) -> Reply:
    """Answer the current rules."""
    rules = rules_in_force(call.ports)
    return Reply(data=shown_rules(rules), message=_ignored(call.ports), etag=version_of_rules(rules))


def _ignored(ports: Ports) -> str:
    """Name the saved rules that the workspace no longer has; empty if it has all of them."""
    names = ignored_rules(ports)
    return f"saved changes are ignored of rules that the workspace no longer has: {', '.join(names)}" if names else ""


def get_layers(call: Call) -> Reply:
    """Answer the layers of the workspace."""
    return Reply(data=shown_layers(call.ports.workspace))


def put_cadence_rules(call: Call) -> Reply:
    """Change rules. They apply from the next shard."""
    rules = change_rules(call.ports, call.body.rules, by=call.caller.name, versions=call.if_match)
    return Reply(data=shown_rules(rules), message="the rules are changed", etag=version_of_rules(rules))


def post_filter_audience(call: Call) -> Reply:
    """Answer which of some users may get a push of a layer now."""
    asked: Filter = call.body
    found = filter_audience(call.ports, asked.user_ids, asked.layer_id or 5)
    data = Filtered(
        eligible_user_ids=found.eligible,
        excluded_count=found.excluded_count,
        exclusion_breakdown=found.excluded,
        warning=found.unfiltered,
    )
    return Reply(data=data, message=f"{len(found.eligible):,} of {len(asked.user_ids):,} users are eligible")


def post_track_notification(call: Call) -> Reply:
    """Record a push that another system sent."""
    tracked = track_notification(call.ports, call.body.model_dump(by_alias=True))
    return Reply(data=tracked, message="recorded" if tracked.recorded else f"not recorded: {tracked.reason}")


def post_cadence_history(call: Call) -> Reply:
    """Import the pushes that another system sent."""
    asked: HistoryFile = call.body
    if asked.file is not None and asked.file_address:
        raise BadFields([FieldError("fileAddress", "is there beside a file: send either")])
    in_bucket = asked.file_address
    source = open_upload(call.ports, in_bucket, "fileAddress") if in_bucket else uploaded(asked.file)
    report = import_history(call.ports, source, dry_run=asked.dry_run, by=call.caller.name)
    done = "would be imported" if asked.dry_run else "are imported"
    return Reply(data=report, message=f"{report.imported:,} of {report.rows:,} rows {done}")


ROUTES = (
    Route(
        method="GET",
        path="/api/layers",
        least=Role.VIEWER,
        summary="Read the layers of the workspace",
        serve=get_layers,
        answer=list[LayerShown],
    ),
    Route(
        method="GET",
        path="/api/cadence-rules",
        least=Role.VIEWER,
        summary="Read the cadence rules",
        serve=get_cadence_rules,
        answer=Rules,
        etag=True,
    ),
    Route(
        method="PUT",
        path="/api/cadence-rules",
        least=Role.ADMIN,
        summary="Change cadence rules",
        serve=put_cadence_rules,
        body=RulesChange,
        answer=Rules,
        etag=True,
    ),
    Route(
        method="POST",
        path="/api/cadence/history",
        least=Role.ADMIN,
        summary="Import the pushes that another system sent, from a CSV",
        serve=post_cadence_history,
        form=HistoryFile,
        answer=Imported,
        refusals=(409,),
        most_body_bytes=MOST_BYTES,
    ),
    Route(
        method="POST",
        path="/api/filter-audience",
        least=Role.OPERATOR,
        summary="Check which users the cadence rules allow now",
        serve=post_filter_audience,
        reads=lambda call: Subject.of_users(call.body.user_ids),
        body=Filter,
        answer=Filtered,
        most_body_bytes=_MOST_IDS_BYTES,
    ),
    Route(
        method="POST",
        path="/api/track-notification",
        least=Role.OPERATOR,
        summary="Record a push that another system sent",
        serve=post_track_notification,
        body=Notification,
        answer=Tracked,
    ),
)
