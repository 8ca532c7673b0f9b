"""T-30: run the audience job, write a CSV and a TEST CSV for each push, and check their sizes."""

import csv
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Audience, Job, JobRun
from audience_jobs.errors import AudienceJobError, Busy, NoAccess, Unavailable
from functions.domain.audience.partition import index, read_rows
from functions.domain.errors import (
    BadAudience,
    BadRecipe,
    BadTemplate,
    NotReady,
    NotYet,
    TminusError,
    Transient,
    for_log,
)
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType, audience_findings, total_finding
from functions.domain.ids import canonical_user_id, user_digest
from functions.domain.push.languages import devices_by_language, language_finding, language_note, untranslated
from functions.domain.push.outcomes import Exclusion
from functions.domain.push.platforms import platform_notes
from functions.domain.push.shard import AudienceFile, IndexedFile, PushFiles
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.alerting.audience_ready import raise_audience_alert
from functions.usecases.by_hand.uploaded_audience import UPLOAD, UploadedRows
from functions.usecases.cadence.rules_in_force import layers_of
from functions.usecases.recipes.audience import recipe_job
from functions.usecases.recipes.check import audience_of, layer_errors
from functions.usecases.recipes.check_saved import unwelcome_content
from functions.usecases.reports.distinct_people import count_people
from functions.usecases.sending.rows import renderer
from functions.usecases.sending.subtract_dead import Graves, Reachable
from functions.usecases.timeline.check_images import check_images
from functions.usecases.timeline.concurrent import bar
from functions.usecases.timeline.ending import block, end, expire
from functions.usecases.timeline.journal import breach, note
from functions.usecases.timeline.postpone import PATIENCE
from functions.usecases.timeline.sample_row import chosen_row
from functions.usecases.timeline.steps import Run, load_run
from functions.usecases.timeline.turn import not_its_turn, wait
from functions.usecases.timeline.warn_of_exclusion import warn_of_built

_PHASE = Phase.AUDIENCE_GENERATION
_ROWS_TRIED_FOR_TESTS = 100
_AFTER_ANOTHER_BUILD = timedelta(seconds=30)
"""When to try again while an attempt that nothing waits for any more still takes the memory of the process."""


def build_audience(ports: Ports, execution_id: str) -> Execution:
    """Build the audiences of an execution, and return it; a repeat returns it unchanged.

    For example, `build_audience(ports, "welcome_20260504T150000Z")` at T-30 runs the recipe's job, writes for each
    push `audiences/<execution>/...` and `devices/<execution>/...`, and moves the execution from LAUNCHED to
    AUDIENCE_READY, or to BLOCKED if an audience is too large. NotYet before T-30, or while it waits for its turn.
    """
    run, now = load_run(ports, execution_id), ports.clock.now()
    if run.execution.state is not State.LAUNCHED:
        raise_audience_alert(ports, run.execution)
        return run.execution
    if now < run.timeline.build_at:
        raise NotYet("building the audiences", run.timeline.build_at)
    if run.too_late(run.execution.send_at, now):
        return expire(ports, run)
    barred = bar(ports, run)
    if barred is not None:
        return _hold_up(ports, run, barred)
    _start(ports, run, now)
    try:
        with _noting_retries(ports, run), closing(audiences_of(ports, run)) as made:
            pushes = [_kept(ports, files) for files in made]
    except TooLarge as error:
        return _blocked_by_size(ports, run, error.sizes) or run.execution
    except (AudienceJobError, BadAudience, BadRecipe, BadTemplate, ValueError) as error:
        return end(ports, run, _PHASE, State.FAILED, _failed(error))
    return _judge(ports, run, pushes)


@contextmanager
def _noting_retries(ports: Ports, run: Run) -> Iterator[None]:
    """Record a problem that may pass, and raise NotYet, NotReady or Transient instead of it."""
    try:
        yield
    except Busy as error:
        raise NotYet(f"{error}; the next attempt", ports.clock.now() + _AFTER_ANOTHER_BUILD) from error
    except NoAccess as error:
        if ports.clock.now() >= run.timeline.build_at + PATIENCE:
            raise
        _note_retry(ports, run, str(error))
        raise NotReady("USER_DATA", str(error)) from error
    except (AudienceJobError, TooLarge, TminusError, ValueError):
        raise
    except (Unavailable, MemoryError, OSError) as error:
        _note_retry(ports, run, str(error))
        raise Transient(f"the audiences cannot be built now: {error}") from error
    except Exception as error:
        _note_retry(ports, run, f"{type(error).__name__}; the function's logs say more")  # its text may contain data
        raise


def _hold_up(ports: Ports, run: Run, barred: Finding) -> Execution:
    """End an execution that must not go on, or let it wait for its turn: NotYet."""
    if barred.ends:
        return block(ports, run, _PHASE, barred)
    raise not_its_turn(wait(ports, run, barred))


def _start(ports: Ports, run: Run, now: datetime) -> None:
    """Record that building has begun. After a wait, log that the turn has come."""
    ports.executions.change(run.execution.id, lambda execution: execution.started(_PHASE, now))
    waited = run.execution.waiting
    if waited is not None:
        minutes = (now - waited.since) / timedelta(minutes=1)
        note(ports, run.execution.id, _PHASE, f"its turn has come; it waited {minutes:.0f} minutes")


class TooLarge(Exception):
    """The audiences exceed the deployment's limit of users. `sizes` are those of the pushes built so far."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes


def _failed(error: Exception) -> Finding:
    return Finding(
        type=ViolationType.AUDIENCE_FAILED,
        severity=Severity.CRITICAL,
        message=f"the audiences could not be built: {for_log(error)}",
        action="failed",
    )


def _note_retry(ports: Ports, run: Run, trouble: str) -> None:
    """Record a temporary problem, so that an execution that expires because of it shows the cause."""
    finding = Finding(
        type=ViolationType.AUDIENCE_FAILED,
        severity=Severity.WARNING,
        message=f"building the audiences failed: {trouble}",
        action="tried again",
    )
    # It has its own subject, because it would otherwise hide the failure of a later attempt.
    breach(ports, run.execution, _PHASE, finding, subject="tried-again")


def _kept(ports: Ports, files: PushFiles) -> PushFiles:
    ports.shards.save_push(files)
    return files


def audiences_of(ports: Ports, run: Run) -> Generator[PushFiles, None, None]:
    """Run the audience job, write the files of each push, and yield the manifests. The caller has to close it.

    TooLarge if the audiences exceed the deployment's limit of users; AudienceJobError, BadAudience, BadRecipe,
    BadTemplate and ValueError if recipe, job and data do not fit together.
    """
    if wrong := layer_errors(run.recipe, layers_of(ports.workspace)):  # the workspace lost a layer since
        raise BadRecipe(wrong)
    with TemporaryDirectory(prefix="tminus-") as folder, _rows_of(ports, run) as (job, rows):
        writer = _Writer(ports, run, rows, Path(folder))
        for position, push in enumerate(run.recipe.pushes):
            yield writer.write(position + 1, push, audience_of(job, push, position))


@contextmanager
def _rows_of(ports: Ports, run: Run) -> Iterator[tuple[Job, JobRun]]:
    """Run the recipe's audience job. A one-off already has its rows."""
    if run.execution.kind is Kind.ONE_OFF:
        yield UPLOAD, UploadedRows(ports, run)
        return
    job, arguments = recipe_job(run.recipe, ports.find_job, ports.workspace)
    with ports.engine.run(job, arguments, now=run.timeline.build_at) as rows:
        yield job, rows


class _Writer:
    """Writes the files of an execution from the engine to a local folder, and from there to the store, once."""

    def __init__(self, ports: Ports, run: Run, rows: JobRun, folder: Path) -> None:
        self._ports, self._run, self._rows, self._folder = ports, run, rows, folder
        self._test_users = test_users(ports, run)
        self._graves = Graves(ports)
        self._test_devices: IndexedFile | None = None
        self._sizes: dict[str, int] = {}

    def write(self, push: int, fields: RecipePush, audience: Audience) -> PushFiles:
        name = f"{push}-{audience.name}"
        path = self._folder / name
        self._hold_size(label(push, audience.name), self._rows.size(audience.name))
        self._rows.write_audience(audience.name, path)
        live = self._store(f"audiences/{self._run.execution.id}/{name}.csv", path)
        for template in fields.texts.values():
            template.require(live.index.columns, audience.name)
        topic = self._run.recipe.topic
        most, locales = self._graves.most_devices, fields.asks_locales
        self._rows.write_devices(audience.name, path, per_user=most, topic=topic, locales=locales)
        devices, reachable = self._store_devices(name, path)
        notes = [*platform_notes(fields, reachable.platforms), language_note(fields, reachable.locales)]
        for words in filter(None, notes):
            note(self._ports, self._run.execution.id, _PHASE, f"push {push}: {words}")
        return PushFiles(
            execution_id=self._run.execution.id,
            push=push,
            audience=audience.name,
            live=AudienceFile(rows=live, devices=devices),
            devices=reachable.devices,
            dead_tokens=reachable.dead_users,
            opted_out=reachable.opted_out,
            languages=devices_by_language(fields, reachable.locales),
            untranslated=untranslated(fields, reachable.locales),
            test=self._write_test(name, fields, live, path),
            test_languages=self._test_languages(fields),
        )

    def _hold_size(self, label: str, rows: int) -> None:
        """Raise TooLarge before time and memory go into files that will not be sent."""
        self._sizes[label] = rows
        if total_finding(self._sizes, self._ports.policy.limits):
            raise TooLarge(self._sizes)

    def _write_test(self, name: str, fields: RecipePush, live: IndexedFile, path: Path) -> AudienceFile:
        model = self._model_row(fields, live)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)  # else it leaves a bare \r as it is
            writer.writerow(live.index.columns)
            if model:
                writer.writerows([user, *model[1:]] for user in self._test_users)
        rows = self._store(f"audiences/{self._run.execution.id}/{name}-TEST.csv", path)
        return AudienceFile(rows=rows, devices=self._devices_of_test_users())

    def _test_languages(self, fields: RecipePush) -> Sequence[str]:
        """Return the languages that test users get, in the users' order; none of a push without translations."""
        if not fields.translations:
            return ()
        devices = read_rows(b"".join(self._ports.files.lines(self._devices_of_test_users().stored)))
        locales = [row[5] for row in islice(devices, 1, None) if row[1]]
        return tuple(dict.fromkeys(map(fields.translation_for, locales)))

    def _devices_of_test_users(self) -> IndexedFile:
        if self._test_devices is None:  # no cached_property: in Python 3.11 its lock blocks concurrent builds
            path = self._folder / "test-devices"
            locales = any(push.asks_locales for push in self._run.recipe.pushes)
            most = self._graves.most_devices
            self._ports.engine.write_devices_of(self._test_users, path, per_user=most, locales=locales)
            self._test_devices = self._store_devices("TEST", path)[0]
        return self._test_devices

    def _store_devices(self, name: str, path: Path) -> tuple[IndexedFile, Reachable]:
        reachable = self._graves.subtract(path)
        return self._store(f"devices/{self._run.execution.id}/{name}.csv", path), reachable

    def _model_row(self, fields: RecipePush, live: IndexedFile) -> list[str] | None:
        """Return the chosen user's row, the second one, or the next whose message can be sent; else the first."""
        if chosen := chosen_row(self._ports, self._run, live):
            return chosen
        rows = list(islice(self._live_rows(live), _ROWS_TRIED_FOR_TESTS))
        candidates: list[list[str]] = rows[1:] + rows[:1]
        renders = renderer(fields, live.index.columns, self._ports.policy.links)
        complete = (row for row in candidates if not isinstance(renders(row, ()), Exclusion))
        return next(complete, candidates[0] if candidates else None)

    def _live_rows(self, live: IndexedFile) -> Iterator[list[str]]:
        reader = read_rows(b"".join(islice(self._ports.files.lines(live.stored), 20 * _ROWS_TRIED_FOR_TESTS)))
        next(reader, None)
        return reader

    def _store(self, name: str, path: Path) -> IndexedFile:
        stored = self._ports.files.write_once(name, path)
        return IndexedFile(stored=stored, index=index(self._ports.files.lines(stored), stored.name))


def test_users(ports: Ports, run: Run) -> list[str]:
    """Return the users who get test pushes, each once, in the order of audience files. A one-off has none."""
    if run.execution.kind is Kind.ONE_OFF:
        return []
    users = run.recipe.settings.test_user_ids or ports.policy.default_test_user_ids
    return sorted({canonical_user_id(user.strip()) for user in users if user.strip()}, key=user_digest)


def _judge(ports: Ports, run: Run, pushes: list[PushFiles]) -> Execution:
    execution, now = run.execution, ports.clock.now()
    for files in pushes:
        message = (
            f"push {files.push}: {files.live.size:,} users in {files.audience}, {files.devices:,} devices to send to"
        )
        note(ports, execution.id, _PHASE, message)
        _warn_of_content(ports, run, files)
        if execution.kind is not Kind.TEST:
            warn_of_built(ports, run, files)
    blocked = _blocked_by_size(ports, run, {label(f.push, f.audience): f.live.size for f in pushes})
    blocked = blocked or _blocked_by_language(ports, run, pushes) or check_images(ports, run, pushes)
    if blocked is not None:
        return blocked

    people = count_people(ports, [files.live for files in pushes])

    def ready(current: Execution) -> Execution:
        if current.state is not State.LAUNCHED:
            return current
        return replace(current, people=people).ended(_PHASE, now).to(State.AUDIENCE_READY, now)

    built = ports.executions.change(execution.id, ready)
    raise_audience_alert(ports, built)
    return built


def _warn_of_content(ports: Ports, run: Run, files: PushFiles) -> None:
    """Warn about content that saving would now refuse in a stored recipe: people can still cancel it."""
    for place, text in enumerate(unwelcome_content(run.recipe, files.push - 1, files.live.rows.index.columns)):
        finding = Finding(
            type=ViolationType.UNWELCOME_CONTENT,
            severity=Severity.WARNING,
            message=text,
            action="none; the execution goes on",
        )
        breach(ports, run.execution, _PHASE, finding, subject=f"{files.push}-{place}")


def _blocked_by_size(ports: Ports, run: Run, sizes: Mapping[str, int]) -> Execution | None:
    """Record violations of the sizes of audiences, and end the execution if one of them blocks it."""
    blocking = None
    for finding in audience_findings(sizes, run.recipe.settings.safeguards, ports.policy.limits):
        breach(ports, run.execution, _PHASE, finding, subject=str(finding.data.get("audience", "total")))
        blocking = blocking or (finding if finding.severity is Severity.CRITICAL else None)
    if blocking is None:
        return None
    return end(ports, run, _PHASE, State.BLOCKED, blocking, subject=str(blocking.data.get("audience", "total")))


def _blocked_by_language(ports: Ports, run: Run, pushes: Sequence[PushFiles]) -> Execution | None:
    """End the execution if a push requires a translation that it lacks."""
    for files in pushes:
        lacking = language_finding(files.push, run.recipe.pushes[files.push - 1], files.untranslated)
        if lacking is not None:
            return end(ports, run, _PHASE, State.BLOCKED, lacking, subject=str(files.push))
    return None


def label(push: int, audience: str) -> str:
    """Return the label of an audience in findings about its size."""
    return f"push {push} ({audience})"
