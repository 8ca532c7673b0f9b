"""One push of an execution for one of its audiences: everything that decides its delivery."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from functions.domain.cadence import rules as cadence
from functions.domain.execution.execution import PhaseTimes, State
from functions.domain.push.outcomes import IN_DOUBT, NOT_REACHED, Envelope
from functions.domain.push.shard import AudienceFile, PushFiles
from functions.domain.recipe.document import OnUnknown
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.timeline.steps import Run


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One push of an execution, on its live audience or on its TEST audience.

    `exempt` are the layers that no cadence rule holds back or counts.
    """

    run: Run
    files: PushFiles
    test: bool
    exempt: Collection[int]

    @property
    def push(self) -> RecipePush:
        """The push in the recipe's snapshot."""
        return self.run.recipe.pushes[self.files.push - 1]

    @property
    def audience(self) -> AudienceFile:
        """The audience to send to."""
        return self.files.test if self.test else self.files.live

    @property
    def only_while(self) -> State:
        """The only state in which a chunk may start."""
        return State.AUDIENCE_READY if self.test else State.LIVE

    @property
    def dry_run(self) -> bool:
        """Whether no message is sent: the live phase of a recipe in test mode."""
        return self.run.recipe.test_mode and not self.test

    @property
    def resend(self) -> bool:
        """Whether rows whose outcome is unknown are sent a second time."""
        return self.run.recipe.settings.on_unknown is OnUnknown.RESEND

    @property
    def waiting(self) -> frozenset[int]:
        """The outcomes of rows that still have to be sent."""
        return IN_DOUBT | {NOT_REACHED} if self.resend else frozenset({NOT_REACHED})

    @property
    def began_at(self) -> datetime:
        """When the first message of the push could leave: the beginning of the ramp."""
        due_at = self.run.timeline.test_at if self.test else self.run.timeline.push_at[self.files.push - 1]
        live = self.run.execution.phases.get(Phase.LIVE_EXECUTION, PhaseTimes())
        return max(due_at, live.started_at or due_at)

    @property
    def ledger_push(self) -> cadence.Push | None:
        """The push in the cadence ledger; None if no rule can hold it back: tests, exempt layers."""
        if self.test or self.push.layer_id in self.exempt:
            return None
        return self.run.ledger_push(self.files.push)

    @property
    def envelope(self) -> Envelope:
        """The values that all messages of the push share."""
        return Envelope(
            execution_id=self.run.execution.id,
            recipe_id=self.run.recipe.id,
            push=self.files.push,
            test=self.test,
            dry_run=self.dry_run,
            content=self.push,
        )


def delivery_of(ports: Ports, run: Run, files: PushFiles, *, test: bool) -> Delivery:
    """Return the delivery of one push of an execution, by the layers of the workspace."""
    return Delivery(run=run, files=files, test=test, exempt=ports.workspace.cadence.exempt)
