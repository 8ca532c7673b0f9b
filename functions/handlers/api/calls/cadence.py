"""Cadence: the rules, the users they let through, and the pushes of other systems that the ledger counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from functions.domain.cadence.rule_changes import MOST_COUNT, MOST_HOURS
from functions.domain.roles import Role
from functions.domain.whole_numbers import whole_number
from functions.handlers.api.route import Call, Form, Model, Reply, Route, Upload, uploaded
from functions.usecases.cadence.change_rules import Rules, change_rules, shown_rules, version_of_rules
from functions.usecases.cadence.filter_audience import filter_audience
from functions.usecases.cadence.import_history import Imported, import_history
from functions.usecases.cadence.track import Tracked, track_notification

_MOST_UPLOAD_BYTES = 150_000_000
_MOST_IDS_BYTES = 20_000_000

Layer = Annotated[int, BeforeValidator(whole_number), Field(ge=0, le=5, description="1 to 5; 0 of old clients is 5.")]


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
"""A rule that is named, with what is to change; it is read where rules are changed."""


class RulesChange(Model):
    """New `hours`, `count` or `active` of the rules that are named; what is not named stays."""

    rules: list[ChangedRule] = Field(examples=[[{"name": "layer_3_cooldown", "hours": 48}]])


class Filter(Model):
    """Users, and the layer of the push that they may or may not get."""

    user_ids: list[Any] = Field(description="Texts; whatever else is there is excluded as no valid id, and counted.")
    layer_id: Layer


@dataclass(frozen=True, kw_only=True)
class Filtered:
    """Who may get the push now, and how many others there are, by reason."""

    eligible_user_ids: Sequence[str]
    excluded_count: int
    exclusion_breakdown: Mapping[str, int]
    warning: str
    """Why no rule was asked; empty where they were."""


class Notification(Model):
    """A push that something else has sent: the same user, layer and second is the same push, as is the same `id`."""

    user_id: str
    layer_id: Layer
    sent_at: str | None = Field(default=None, description="An instant with its zone; now, if it is missing.")
    id: str | None = Field(default=None, max_length=100, description="A name for it, so that a repeat is known.")
    title: str | None = None


class HistoryFile(Form):
    """A CSV with the columns `user_id`, `layer` or `layer_id`, `sent_at`, and `recipe`, `title` or `push_title`."""

    file: Upload
    dry_run: bool = Field(default=False, description="Check and count every row, but write nothing.")


def get_cadence_rules(call: Call) -> Reply:
    """Answer the rules in force."""
    rules = call.ports.ledger.rules()
    return Reply(data=shown_rules(rules), etag=version_of_rules(rules))


def put_cadence_rules(call: Call) -> Reply:
    """Change rules; the next shard is held to them."""
    rules = change_rules(call.ports, call.body.rules, by=call.caller.name, versions=call.if_match)
    return Reply(data=shown_rules(rules), message="the rules are changed", etag=version_of_rules(rules))


def post_filter_audience(call: Call) -> Reply:
    """Answer who of some users may get a push of a layer now."""
    asked: Filter = call.body
    found = filter_audience(call.ports, asked.user_ids, asked.layer_id or 5)
    data = Filtered(
        eligible_user_ids=found.eligible,
        excluded_count=found.excluded_count,
        exclusion_breakdown={reason.value: count for reason, count in found.excluded.items()},
        warning=found.unfiltered,
    )
    return Reply(data=data, message=f"{len(found.eligible):,} of {len(asked.user_ids):,} users are eligible")


def post_track_notification(call: Call) -> Reply:
    """Record a push that something else has sent."""
    tracked = track_notification(call.ports, call.body.model_dump(by_alias=True))
    return Reply(data=tracked, message="recorded" if tracked.recorded else f"not recorded: {tracked.reason}")


def post_cadence_history(call: Call) -> Reply:
    """Import what another system has sent."""
    asked: HistoryFile = call.body
    report = import_history(call.ports, uploaded(asked.file), dry_run=asked.dry_run)
    done = "would be imported" if asked.dry_run else "are imported"
    return Reply(data=report, message=f"{report.imported:,} of {report.rows:,} rows {done}")


ROUTES = (
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
        summary="Import what another system has sent, from a CSV",
        serve=post_cadence_history,
        form=HistoryFile,
        answer=Imported,
        refusals=(409,),
        most_body_bytes=_MOST_UPLOAD_BYTES,
    ),
    Route(
        method="POST",
        path="/api/filter-audience",
        least=Role.VIEWER,
        summary="Check which users the cadence rules let through now",
        serve=post_filter_audience,
        body=Filter,
        answer=Filtered,
        most_body_bytes=_MOST_IDS_BYTES,
    ),
    Route(
        method="POST",
        path="/api/track-notification",
        least=Role.OPERATOR,
        summary="Record a push that something else has sent",
        serve=post_track_notification,
        body=Notification,
        answer=Tracked,
    ),
)
