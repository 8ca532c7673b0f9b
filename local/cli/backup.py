"""`tminus backup` and `tminus restore`: the state of the embedded runtime as one file."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from functions import bootstrap
from functions.domain.errors import BadInput
from functions.domain.execution.execution import Execution
from functions.domain.instants import stamp
from functions.usecases.after_restore import end_sends_since
from local.cli.options import check_new, folder, force_option, json_option, print_json, read_instant
from local.cli.workspace import workspace_folder
from local.embedded.clock import RealClock, VirtualClock
from local.runtime.backup import Contents, back_up, draft_folder, held_by, put_in_place, unpack
from local.runtime.persistent_clock import CLOCK, PersistentClock
from local.runtime.state_lock import locked

_file = click.Path(dir_okay=False, path_type=Path)
_state = click.option(
    "--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept."
)


@click.command()
@click.argument("file", type=_file)
@_state
@force_option("Replace FILE if it exists.")
@json_option
def backup(file: Path, state: Path, force: bool, as_json: bool) -> None:
    """Write the state to FILE, a .tar.gz. `tminus up` may be running.

    It holds the database, the outbox, the alerts, receipts, and audiences with the device tokens of what is under
    way. Keep it as you keep the user data, which are not in it: only its owner can read it.
    """
    check_new(file, force=force)
    contents = back_up(state, file, RealClock().now())
    size = file.stat().st_size
    if as_json:
        written = {"file": str(file), "takenAt": stamp(contents.taken_at)}
        print_json({**written, "bytes": size, "files": len(contents.files)})
    else:
        click.echo(f"{file}: the state at {stamp(contents.taken_at)}, {len(contents.files):,} files, {size:,} bytes")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_state
@click.option("--at", help="Sends until this time count as due. [default: now, or where a fast clock stopped]")
@click.option(
    "--send-due", is_flag=True, help="Send what was due since the backup: users may get a push a second time."
)
@force_option("Replace an existing state; it is kept in a folder before-restore-...")
@json_option
def restore(file: Path, state: Path, at: str | None, send_due: bool, force: bool, as_json: bool) -> None:
    """Restore the state in FILE into a folder that no `tminus up` is using.

    No user gets a push twice: a send that was running at the backup, or started since, is stopped. Users who may
    have got it since are unknown in its receipt and count in the cadence ledger. Recurring recipes continue with
    their next send. What people did since the backup, such as pausing a recipe, is lost.
    """
    said = read_instant(at, "--at")
    with locked(state, restoring=True):
        if held_by(state) and not force:
            raise BadInput(f"{state} holds a state; --force replaces it, and keeps it beside the new one")
        with draft_folder(state) as draft:
            contents = unpack(file, draft)
            now = _now(contents, state, said)
            stopped = () if send_due else _stop(draft, contents, now)
            if contents.fast:
                PersistentClock(draft / CLOCK).keep(now)
            aside = put_in_place(state, draft, now)
    if as_json:
        print_json(
            {
                "state": str(state),
                "backupOf": stamp(contents.taken_at),
                "restoredAt": stamp(now),
                "stopped": [_document(execution) for execution in stopped],
                "replaced": aside and str(aside),
            }
        )
        return
    click.echo(f"{state}: the state of {stamp(contents.taken_at)}, restored at {stamp(now)}")
    if aside:
        click.echo(f"the replaced state is in {aside}")
    for execution in stopped:
        click.echo(f"stopped {execution.id}, {_counts(execution)}")
    if stopped:
        click.echo("none of it is sent again; the next sends go out as usual")


def _now(contents: Contents, state: Path, said: datetime | None) -> datetime:
    """Return the instant of the restore on the state's clock: not before anything that has happened on it."""
    if said is None and not contents.fast:
        return RealClock().now()
    known = [contents.taken_at, said, PersistentClock(state / CLOCK).read() if contents.fast else None]
    return max(at for at in known if at is not None)


def _stop(draft: Path, contents: Contents, now: datetime) -> Sequence[Execution]:
    settings = replace(bootstrap.settings_of(workspace_folder()), state_dir=draft, fcm=None)  # nothing here can send
    with closing(bootstrap.embedded(settings, VirtualClock(now))) as system:
        return end_sends_since(system.ports, contents.taken_at)


def _document(execution: Execution) -> dict[str, object]:
    totals = execution.totals.document() if execution.totals else None
    return {
        "executionId": execution.id,
        "sendAt": stamp(execution.send_at),
        "reason": execution.reason,
        "totals": totals,
    }


def _counts(execution: Execution) -> str:
    tally = execution.totals
    if tally is None or not tally.audience_size:
        return f"due at {stamp(execution.send_at)}: no audience of it is in the backup"
    return (
        f"due at {stamp(execution.send_at)}: {tally.sent:,} sent before the backup, {tally.unknown:,} unknown, "
        f"{tally.not_reached:,} not reached"
    )
