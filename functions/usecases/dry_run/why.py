"""Why a user would, or would not, get the pushes of a recipe: the steps of an execution now, for one user."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audience_jobs.conditions.explaining import Explained, explain
from audience_jobs.contract import DEVICES_FILE, Engine, Job, JobRun
from audience_jobs.criteria import read_criteria
from audience_jobs.errors import BadCriteria
from audience_jobs.one_user import only_user
from audience_jobs.workspace import Workspace
from functions.domain.audience.partition import PARTITIONS, read_rows
from functions.domain.documents import shown
from functions.domain.errors import BadInput, BadRecipe, FieldError
from functions.domain.execution.execution import Kind
from functions.domain.ids import canonical_user_id
from functions.domain.push.shard import PushFiles
from functions.domain.recipe.read import Recipe, read
from functions.ports import Ports
from functions.usecases.by_hand.start import at_once
from functions.usecases.dry_run.ports import shadow
from functions.usecases.dry_run.preview import trial_run
from functions.usecases.dry_run.why_report import Why, WhyOfPush
from functions.usecases.dry_run.why_steps import Steps
from functions.usecases.recipes.audience import describe_audience, recipe_criteria
from functions.usecases.recipes.check import check_recipe
from functions.usecases.sending.assignment import delivery_of
from functions.usecases.timeline.build_audience import audiences_of
from functions.usecases.timeline.steps import Run

_LONGEST_ID = 200
NOT_IN_AUDIENCE = "not_in_audience"


def why(ports: Ports, document: Mapping[str, Any], user_id: str, *, ledger_known: bool = True) -> Why:
    """Explain what an execution of a recipe that is started by hand now would do for one user. Nothing is sent.

    The audiences are built by the same SQL as those of an execution, and keep the rows of this user. `ledger_known`
    is false where there is no cadence ledger to ask. BadRecipe for an invalid recipe, BadInput for what cannot be an
    id, AudienceJobError as in `Engine.run`.
    """
    user_id = _checked_id(user_id)
    recipe = at_once(read(document), Kind.MANUAL)
    check_recipe(recipe, policy=ports.policy, find_job=ports.find_job, workspace=ports.workspace)
    run = trial_run(ports, recipe, test=False)
    with TemporaryDirectory(prefix="tminus-") as name:
        folder = Path(name)
        explained = _explained(ports, recipe, user_id, run.timeline.build_at, folder)
        engine = _OneUser(ports.engine, user_id, ports.workspace, checks=not recipe.criteria.job_id)
        alone = shadow(replace(ports, engine=engine), folder)
        with closing(audiences_of(alone, run)) as made:
            pushes = [_push(alone, run, files, ledger_known=ledger_known) for files in made]
    fits = any(push.reason != NOT_IN_AUDIENCE for push in pushes)
    return Why(
        user_id=user_id,
        recipe_id=recipe.id,
        at=run.timeline.build_at,
        description=describe_audience(recipe, ports.workspace),
        known=explained.known if explained else None,
        fits=fits,
        conditions=explained.conditions if explained else (),
        rows=explained.rows if explained else (),
        pushes=pushes,
        answer=_answer(user_id, explained, pushes),
    )


def why_criteria(ports: Ports, written: Mapping[str, Any], user_id: str) -> Explained:
    """Explain which criteria of an audience fit one user now, in a workspace with models.

    BadRecipe for invalid criteria, BadInput for what cannot be an id, AudienceJobError as in `Engine.run`.
    """
    user_id = _checked_id(user_id)
    try:
        criteria = read_criteria(written, ports.workspace)
    except BadCriteria as error:
        raise BadRecipe([FieldError(f"audienceCriteria.{field}", reason) for field, reason in error.errors]) from None
    with TemporaryDirectory(prefix="tminus-") as name:
        return explain(ports.engine, criteria, user_id, now=ports.clock.now(), folder=Path(name))


def _checked_id(user_id: str) -> str:
    readable = user_id == user_id.encode("utf-8", "replace").decode() and "\0" not in user_id
    if not user_id.strip() or len(user_id) > _LONGEST_ID or not readable:
        raise BadInput(f"{shown(user_id)} cannot be a user id: give 1 to {_LONGEST_ID} characters")
    return canonical_user_id(user_id.strip())


def _explained(ports: Ports, recipe: Recipe, user_id: str, now: datetime, folder: Path) -> Explained | None:
    """Explain the conditions on people; None where the users are those of a job, or of filters."""
    if recipe.criteria.job_id or not ports.workspace.has_models:
        return None
    return explain(ports.engine, recipe_criteria(recipe, ports.workspace), user_id, now=now, folder=folder)


def _push(ports: Ports, run: Run, files: PushFiles, *, ledger_known: bool) -> WhyOfPush:
    delivery = delivery_of(ports, run, files, test=False)
    steps = Steps(ports, delivery, ledger_known=ledger_known)
    found = steps.made(_row(ports, files))
    failed = next((step for step in found if step.passes is False), None)
    return WhyOfPush(
        order=files.push,
        audience=files.audience,
        layer=delivery.push.layer_id,
        due_at=run.timeline.push_at[files.push - 1],
        gets=False if failed else None if any(step.passes is None for step in found) else True,
        reason=failed.reason if failed else "",
        steps=found,
        rules=steps.rules,
    )


def _row(alone: Ports, files: PushFiles) -> Sequence[str] | None:
    stored, index = files.live.rows.stored, files.live.rows.index
    return next(read_rows(alone.files.read(stored, *index.byte_range(range(PARTITIONS)))), None)


def _answer(user_id: str, explained: Explained | None, pushes: Sequence[WhyOfPush]) -> str:
    if explained and not explained.known:
        return f"user {user_id} is not in people: the workspace knows no such user"
    if len({(push.gets, push.reason) for push in pushes}) == 1:
        return f"user {user_id} {_words(pushes[0])}"
    return f"user {user_id}: {'; '.join(f'push {push.order}: {_words(push)}' for push in pushes)}"


def _words(push: WhyOfPush) -> str:
    if push.gets is False:
        return f"would not get it: {next(step.message for step in push.steps if step.passes is False)}"
    unknown = [step.message for step in push.steps if step.passes is None]
    return f"would get it, as far as is known: {'; '.join(unknown)}" if unknown else "would get it"


@dataclass(frozen=True)
class _OneUser:
    """Implements Engine for the rows of one user; there are no test users."""

    engine: Engine
    user_id: str
    workspace: Workspace
    checks: bool

    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> AbstractContextManager[JobRun]:
        """Run the job, and keep the user's rows."""
        alone = only_user(job, self.user_id, self.workspace.models, checks=self.checks)
        return self.engine.run(alone, arguments, now=now)

    def write_devices_of(self, user_ids: Sequence[str], path: Path, **_: Any) -> int:  # noqa: ARG002 - as Engine
        """Write that there are no devices: nothing asks for those of test users."""
        path.write_text(f"{','.join(DEVICES_FILE)}\n", encoding="utf-8")
        return 0

    def within(self, seconds: float) -> Engine:
        """Return the same engine with a time limit."""
        return replace(self, engine=self.engine.within(seconds))
