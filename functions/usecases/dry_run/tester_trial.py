"""Find the test users that a test send would not reach. The real send is blocked if it misses a single one."""

from dataclasses import dataclass, field

from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.ids import user_key
from functions.ports import Ports
from functions.usecases.dry_run.previewed import MissedTester
from functions.usecases.sending.assignment import Delivery
from functions.usecases.sending.rows import candidates
from functions.usecases.timeline.build_audience import test_users
from functions.usecases.timeline.send_to_testers import test_shard, why_not_tested
from functions.usecases.timeline.steps import Run


@dataclass(kw_only=True)
class TesterTrial:
    """Collects the test users that the test sends of a run would not reach, with the reasons."""

    ports: Ports
    run: Run
    _missed: dict[str, dict[str, None]] = field(default_factory=dict)
    _reasons: dict[str, None] = field(default_factory=dict)

    def take(self, delivery: Delivery) -> None:
        """Try the test send of one push."""
        users = {user_key(user): user for user in test_users(self.ports, self.run)}
        shard = test_shard(delivery.files)
        for row in candidates(self.ports, delivery.push, delivery.audience, shard, delivery.waiting):
            if row.excluded is not None:
                self._missed.setdefault(users[row.key], {})[row.excluded.value] = None
                self._reasons[why_not_tested(row.excluded.value, shard.push)] = None

    @property
    def missed(self) -> list[MissedTester]:
        """The test users who would miss at least one push."""
        return [MissedTester(user_id=user, reasons=tuple(reasons)) for user, reasons in self._missed.items()]

    def finding(self) -> Finding | None:
        """Return what would block the send, or only warn if the recipe does not require the test; else None."""
        if not self._missed:
            return None
        required = self.run.recipe.settings.safeguards.require_test_first
        count = f"{len(self._missed)} of {len(test_users(self.ports, self.run))} test users would not get it"
        return Finding(
            type=ViolationType.TEST_FAILED,
            severity=Severity.CRITICAL if required else Severity.WARNING,
            message=f"the test send would fail: {count}: {'; '.join(self._reasons)}",
            action="none; this was a dry run",
        )
