"""What calls answer, for the OpenAPI document; the use cases make it as JSON has it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from functions.domain.errors import FieldCode
from functions.domain.execution.execution import Kind, State
from functions.domain.execution.safeguards import Severity, ViolationType
from functions.domain.recipe.timeline import Phase
from functions.handlers.api.route import Model

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""An instant as ISO 8601 in UTC."""
Counts = dict[str, int]


class FieldAtFault(Model):
    """What is wrong with a field of a document: `code` for programs, `reason` for people."""

    field: str
    code: FieldCode
    reason: str


class Totals(Model):
    """What became of users: audienceSize = sum(excluded) + sent + failed + unknown + notReached."""

    audience_size: int
    excluded: Counts
    sent: int
    failed: int
    unknown: int
    not_reached: int


class Waiting(Model):
    """The wait of an execution for its turn, where as many as may be under way at once started before it."""

    since: Instant
    until: Instant = Field(description="When it is blocked if its turn has not come: later it could not be in time.")
    limit: int = Field(description="How many executions may be under way at once.")
    message: str


class ExecutionSummary(Model):
    """An execution in a list; `secondsToSend` counts down to T-0, `totals` are there once it is cleaned up."""

    execution_id: str
    recipe_id: str
    recipe_name: str
    kind: Kind
    status: State
    reason: str
    send_at: Instant
    created_at: Instant
    phase: Phase | None
    seconds_to_send: int | None
    waiting: Waiting | None = Field(description="Why it has not begun although its time has come; null: it need not.")
    totals: Totals | None
    people: int | None = Field(description="Different users of all audiences, each once; null before T-30.")
    people_reached: int | None = Field(description="Those who were sent at least one push; null before the end.")


class PhaseTimes(Model):
    """When a phase was to start, and when it really started and ended."""

    phase: Phase
    planned_at: Instant | None
    started_at: Instant | None
    ended_at: Instant | None


class PushNumbers(Totals):
    """What became of one push of the sequence."""

    order: int
    audience: str
    layer: int | None
    due_at: Instant | None
    test_sent: int
    under_way_at_stop: int


class ViolationShown(Model):
    """A breach of a safeguard."""

    id: str
    execution_id: str
    recipe_id: str
    type: ViolationType
    severity: Severity
    message: str
    data: dict[str, Any]
    at: Instant
    resolved: bool
    resolved_at: Instant | None
    resolved_by: str
    action_taken: str


class AllTotals(Totals):
    """The totals of all pushes, in messages: a user counts once for each push. `people` counts each user once."""

    people: int | None
    people_reached: int | None

    test_sent: int


class Progress(Model):
    """How much of the audiences is settled, in users."""

    reached: int
    audience_size: int
    percent: float


class ExecutionDetail(ExecutionSummary):
    """An execution with its phases, its pushes, what was breached, and what can be done to it now.

    `problem` says why this release cannot read it; what only its recipe says is null then.
    """

    window_ends_at: Instant | None = Field(description="Until when it can be cancelled at least; null: it cannot.")
    dry_run: bool | None
    problem: str | None
    unknown_why: str | None = Field(
        description="Why outcomes are unknown, and what settings.onUnknown does about it."
    )
    timeline: list[PhaseTimes]
    pushes: list[PushNumbers]
    totals: AllTotals
    progress: Progress
    violations: list[ViolationShown]
    possible: list[str]


class LogLine(Model):
    """A line of an execution's log."""

    at: Instant
    phase: Phase
    level: Literal["info", "warning", "error"]
    message: str


class Texts(Model):
    """What a message says, and how large it is."""

    title: str
    body: str
    deep_link: str | None
    payload_bytes: int


class Variation(Texts):
    """A text, and how many messages have it."""

    messages: int


class Sample(Texts):
    """A message as one user would get it."""

    user_id: str


class PayloadBytes(Model):
    """The sizes of the messages, and what FCM takes."""

    smallest: int
    largest: int
    limit: int


class PushPreview(Model):
    """What one push would do: audienceSize = sum(excluded) + eligible, in users; `messages` counts devices."""

    order: int
    audience: str
    layer: int
    due_at: Instant
    audience_size: int
    excluded: Counts
    without_token: int
    eligible: int
    messages: int
    different_texts: int
    variations: list[Variation]
    samples: list[Sample]
    payload_bytes: PayloadBytes


class PreviewTotals(Model):
    """What all pushes would do together: in people, each once, and summed up over the pushes."""

    people: int
    eligible_people: int
    audience_size: int
    eligible: int
    messages: int
    excluded: Counts


class Problem(Model):
    """What would block, stop or warn."""

    type: ViolationType
    severity: Severity
    message: str


class Preview(Model):
    """What an execution that is started now would do; `valid` where no problem is critical, and somebody gets it."""

    recipe_id: str
    test: bool
    description: str
    send_at: Instant
    pushes: list[PushPreview]
    totals: PreviewTotals
    estimated_seconds: float
    estimated_cost_micros: int
    problems: list[Problem]
    valid: bool
