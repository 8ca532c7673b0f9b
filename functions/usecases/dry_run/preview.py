"""Preview a recipe: run everything that an execution would do now, with the code of the timeline, without sending."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audience_jobs.errors import AudienceJobError
from audience_jobs.workspace import Workspace
from functions.domain.cadence.rules import HeldBack
from functions.domain.cost import Use, use_of_push
from functions.domain.errors import BadAudience, BadRecipe, BadTemplate, LedgerUnreadable
from functions.domain.execution.execution import Execution, Kind
from functions.domain.execution.safeguards import (
    Finding,
    Severity,
    ViolationType,
    audience_findings,
    total_finding,
    window_findings,
)
from functions.domain.ids import ALLOW_ANY, UserIdFormat
from functions.domain.pace import sending_time
from functions.domain.push.outcomes import Exclusion
from functions.domain.push.shard import AudienceFile, PushFiles
from functions.domain.recipe.defaults import with_defaults
from functions.domain.recipe.read import Recipe, read
from functions.ports import Ports
from functions.usecases.by_hand.start import at_once
from functions.usecases.dry_run.ports import shadow
from functions.usecases.dry_run.previewed import Preview, PreviewTotals, Problem
from functions.usecases.dry_run.push_trial import PushTrial
from functions.usecases.dry_run.tester_trial import TesterTrial
from functions.usecases.recipes.audience import describe_audience
from functions.usecases.recipes.check import check_recipe
from functions.usecases.recipes.check_saved import unwelcome_content, unwelcome_fields
from functions.usecases.reports.distinct_people import count_people
from functions.usecases.sending.assignment import Delivery, delivery_of
from functions.usecases.sending.reserve import reserve
from functions.usecases.sending.rows import candidates
from functions.usecases.timeline.build_audience import TooLarge, audiences_of, label, test_users
from functions.usecases.timeline.send_push import plan_shards
from functions.usecases.timeline.send_to_testers import test_shard
from functions.usecases.timeline.steps import Run, read_run

_ID = "preview"


def preview(ports: Ports, document: Mapping[str, Any], *, test: bool) -> Preview:
    """Return what an execution started by hand would do now; with `test`, what its test send would do.

    Each push says which users it would reach: audience size = sum(excluded) + eligible; `messages` counts devices.
    The totals add pushes up, but `people` and `eligible_people` count each user once. `problems` are findings that
    would block, stop or warn; with a critical one, the preview is not `valid`. It is also critical if no user would
    get anything, or if saving would refuse the content. BadRecipe if the document itself is invalid.
    """
    recipe = at_once(read(document), Kind.TEST if test else Kind.MANUAL)
    check_recipe(recipe, policy=ports.policy, find_job=ports.find_job, workspace=ports.workspace)
    run = trial_run(ports, recipe, test=test)
    with TemporaryDirectory(prefix="tminus-") as folder:
        return tried(shadow(ports, Path(folder)), run, test=test)


def tried(shadowed: Ports, run: Run, *, test: bool = False) -> Preview:
    """Return what a run would do, on `shadow` ports; see `preview`."""
    testers = TesterTrial(ports=shadowed, run=run)
    trial = _Trial(ports=shadowed, run=run, test=test, pushes=[], problems=[], testers=testers)
    trial.make()
    return trial.result()


def trial_run(ports: Ports, recipe: Recipe, *, test: bool) -> Run:
    """Return the run of an execution that would be started by hand now."""
    now = ports.clock.now().replace(microsecond=0)
    execution = Execution(
        id=f"{recipe.id}_{_ID}",
        recipe_id=recipe.id,
        recipe=with_defaults(recipe.document(), ports.workspace.pushes.defaults),
        send_at=now + recipe.schedule.lead,
        created_at=now,
        claim="",
        kind=Kind.TEST if test else Kind.MANUAL,
    )
    return read_run(execution)


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """A running trial: the pushes tried so far, and the problems found."""

    ports: Ports
    run: Run
    test: bool
    pushes: list[PushTrial]
    problems: list[Finding]
    testers: TesterTrial
    audiences: list[AudienceFile] = field(default_factory=list)

    def make(self) -> None:
        """Build the audiences and judge every row of them."""
        sizes: dict[str, int] = {}
        try:
            with closing(audiences_of(self.ports, self.run)) as made:
                for files in made:
                    sizes[label(files.push, files.audience)] = files.live.size
                    self.pushes.append(self._try(self.ports, files))
                    self.testers.take(delivery_of(self.ports, self.run, files, test=True))
                    self.audiences.append(files.test if self.test else files.live)
        except TooLarge as error:
            sizes = dict(error.sizes)
        except (AudienceJobError, BadAudience, BadRecipe, BadTemplate, ValueError) as error:
            self.problems.append(_problem(ViolationType.AUDIENCE_FAILED, f"the audiences cannot be built: {error}"))
        self._judge(sizes)

    def _try(self, ports: Ports, files: PushFiles) -> PushTrial:
        delivery = delivery_of(ports, self.run, files, test=self.test)
        trial = PushTrial(delivery, user_id_format=ports.policy.user_id_format.value)
        shards = [test_shard(files)] if self.test else plan_shards(files, most_rows=ports.policy.shard_rows)
        for shard in shards:
            rows = list(candidates(ports, delivery.push, delivery.audience, shard, delivery.waiting))
            keys = [row.key for row in rows if row.excluded is None]
            trial.take(rows, self._held_back(ports, delivery, keys))
        return trial

    def _held_back(self, ports: Ports, delivery: Delivery, keys: Sequence[bytes]) -> HeldBack:
        push, held = delivery.ledger_push, dict[bytes, str]()
        if push is None or not keys:
            return held
        try:
            for found in reserve(ports, push, keys):
                held.update(found)
        except LedgerUnreadable as error:
            problem = f"the cadence ledger cannot be read, so it is unknown which users it holds back: {error}"
            self.problems.append(_problem(ViolationType.LEDGER_UNREADABLE, problem))
        return held

    def _judge(self, sizes: Mapping[str, int]) -> None:
        recipe, policy = self.run.recipe, self.ports.policy
        self.problems.extend(audience_findings(sizes, recipe.settings.safeguards, policy.limits))
        one_off = self.run.execution.kind is Kind.ONE_OFF
        if total_finding(sizes, policy.limits) is None and not self.test and not one_off:
            window = self.run.execution.send_at - self.run.timeline.test_at
            self.problems.extend(window_findings(recipe, window, policy.limits))
        if not one_off and not test_users(self.ports, self.run):
            message = "the recipe has no test users; set settings.testUserIds or DEFAULT_TEST_USER_IDS"
            required = recipe.settings.safeguards.require_test_first or self.test
            self.problems.append(_problem(ViolationType.TEST_FAILED, message, critical=required))
        if (missed := self.testers.finding()) is not None:
            self.problems.append(missed)
        for position, trial in enumerate(self.pushes):
            self.problems.extend(trial.problems())
            for message in unwelcome_content(recipe, position, trial.columns):
                self.problems.append(_problem(ViolationType.UNWELCOME_CONTENT, message))
            if (lacking := trial.lacks_languages()) is not None:
                self.problems.append(lacking)
        if not one_off:
            unwelcome = unwelcome_fields(recipe, policy, self.ports.workspace)
            self.problems.extend(_problem(ViolationType.UNWELCOME_FIELD, str(error)) for error in unwelcome)
        if not any(trial.eligible for trial in self.pushes) and not self._blocked:
            self.problems.append(_problem(ViolationType.AUDIENCE_EMPTY, self._why_nobody()))

    @property
    def _blocked(self) -> bool:
        return any(problem.severity is Severity.CRITICAL for problem in self.problems)

    def _why_nobody(self) -> str:
        users = count_people(self.ports, self.audiences)
        if not users:
            return "no user would get anything: the audience is empty"
        excluded = sum((trial.excluded for trial in self.pushes), Counter[str]())
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in excluded.most_common())
        if len(self.pushes) > 1 and sum(excluded.values()) != users:
            reasons += ", counted for each push"
        those = "the only user is" if users == 1 else f"all {users:,} users are"
        way_out = ""
        if excluded[Exclusion.INVALID_USER_ID] and self.ports.policy.user_id_format is UserIdFormat.UUID:
            way_out = f"; {ALLOW_ANY}"
        return f"no user would get anything: {those} excluded ({reasons}){way_out}"

    def result(self) -> Preview:
        """Return the result of the trial."""
        recipe, trials = self.run.recipe, self.pushes
        return Preview(
            recipe_id=recipe.id,
            test=self.test,
            description=_description(recipe, self.ports.workspace),
            send_at=self.run.execution.send_at,
            pushes=[trial.result() for trial in trials],
            totals=self._totals(),
            estimated_seconds=round(sum(self._seconds(trial) for trial in trials), 1),
            estimated_cost_micros=sum((self._use(trial) for trial in trials), Use()).micro_dollars,
            problems=[_shown_problem(problem) for problem in self.problems],
            missed_testers=self.testers.missed,
            valid=not self._blocked,
        )

    def _totals(self) -> PreviewTotals:
        trials = self.pushes
        return PreviewTotals(
            people=count_people(self.ports, self.audiences),
            eligible_people=len(set[bytes]().union(*(trial.eligible_keys for trial in trials))),
            audience_size=sum(trial.size for trial in trials),
            eligible=sum(trial.eligible for trial in trials),
            messages=sum(trial.messages for trial in trials),
            excluded=sum((Counter(trial.excluded) for trial in trials), Counter()),
        )

    def _seconds(self, trial: PushTrial) -> float:
        return sending_time(trial.messages, self.ports.policy.send_rate).total_seconds()

    def _use(self, trial: PushTrial) -> Use:
        policy = self.ports.policy
        return use_of_push(
            trial.size,
            capped=trial.layer not in self.ports.workspace.cadence.exempt,
            shard_rows=policy.shard_rows,
            chunk_rows=policy.chunk_rows,
            per_second=policy.send_rate,
        )


def _description(recipe: Recipe, workspace: Workspace) -> str:
    """Describe the recipe's audience. An unknown job is among the problems."""
    try:
        return describe_audience(recipe, workspace)
    except BadRecipe:
        return ""


def _problem(kind: ViolationType, message: str, *, critical: bool = True) -> Finding:
    severity = Severity.CRITICAL if critical else Severity.WARNING
    return Finding(type=kind, severity=severity, message=message, action="none; this was a dry run")


def _shown_problem(problem: Finding) -> Problem:
    return Problem(type=problem.type, severity=problem.severity, message=problem.message)
