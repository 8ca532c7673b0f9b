"""Everything that Tminus holds about one user, store by store: the answer to a request for access."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from functions.domain.audience.dead_tokens import lift, token_key
from functions.domain.audience.partition import partition_of
from functions.domain.cadence.rules import days_between
from functions.domain.documents import shown
from functions.domain.errors import BadInput
from functions.domain.execution.execution import Execution
from functions.domain.ids import is_user_id
from functions.domain.person import Person
from functions.domain.push.shard import Stored
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.ports.sending import RememberingSender
from functions.usecases.people.person_in_files import is_draft, rows_with
from functions.usecases.reports.history import EXAMPLES, MOST_DAYS, notifications_of
from functions.usecases.reports.user_rows import NotificationShown

if TYPE_CHECKING:
    from functions.domain.cadence.ledger import Reserved

LEDGER_DAYS = 130
"""Further back than the ledger keeps days."""
_AHEAD = timedelta(days=31)
"""Pushes can be reserved for a later day of their sequence."""
_AT_ONCE = 200
_MOST_DEVICES = 100
_UPLOAD = "uploadedAudience"


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A place that holds the user's id: the document, the field in it, and the text there."""

    place: str
    field: str
    text: str


@dataclass(frozen=True, kw_only=True)
class RowOfUser:
    """A row of a stored file that holds the user's id."""

    file: str
    row: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PushReserved:
    """A push in the cadence ledger: its key, layer and planned instant."""

    push: str
    layer: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class HeldOfUser:
    """Everything that is stored about a user.

    `notifications` are the pushes of the last 90 days with their outcomes, `dead_tokens` counts the user's device
    tokens that FCM called dead, `outbox` are messages that a laptop keeps instead of sending them. `settings` names
    settings of the deployment that hold the id; only the operator can change those.
    """

    user_id: str
    recipes: Sequence[Mention]
    executions: Sequence[Mention]
    rows: Sequence[RowOfUser]
    ledger: Sequence[PushReserved]
    notifications: Sequence[NotificationShown]
    dead_tokens: int
    test_people: Sequence[Mention]
    audit: Sequence[Mention]
    outbox: Sequence[Mapping[str, Any]]
    settings: Sequence[str]

    @property
    def empty(self) -> bool:
        """Whether nothing is stored that `erase_user` could erase."""
        documents = self.recipes or self.executions or self.test_people or self.audit
        return not (documents or self.rows or self.ledger or self.dead_tokens or self.outbox)


def person_of(ports: Ports, user_id: str) -> Person:
    """Return the user with an id; BadInput if it is not valid."""
    user_id, form = user_id.strip(), ports.policy.user_id_format
    if not is_user_id(user_id, form):
        raise BadInput(f"{shown(user_id)} is not a user ID of this deployment; enter one such as {EXAMPLES[form]}")
    return Person(user_id)


def find_user(ports: Ports, user_id: str) -> HeldOfUser:
    """Return everything that Tminus holds about a user. It reads every stored audience. BadInput for a bad id."""
    person = person_of(ports, user_id)
    files = [*ports.files.names("audiences"), *ports.files.names("devices"), *ports.files.names("receipts")]
    return HeldOfUser(
        user_id=person.user_id,
        recipes=[_mention(str(each["id"]), found) for each in ports.recipes.all() for found in person.found_in(each)],
        executions=[
            _mention(each.id, found) for each in every_execution(ports) for found in in_execution(each, person)
        ],
        rows=[RowOfUser(file=name, row=row) for name in files for row in _rows(ports, name, person)],
        ledger=[PushReserved(push=each.push, layer=each.layer, at=each.at) for each in _reserved(ports, person)],
        notifications=notifications_of(ports, person.user_id, until=ports.clock.now(), days=MOST_DAYS).notifications,
        dead_tokens=lifted(ports, person, dead_keys_of(ports, person)),
        test_people=list(_in_testers(ports, person)),
        audit=list(_in_audit(ports, person)),
        outbox=kept_messages(ports, person),
        settings=["DEFAULT_TEST_USER_IDS"] if any(map(person.is_me, ports.policy.default_test_user_ids)) else [],
    )


def every_execution(ports: Ports) -> Iterator[Execution]:
    """Yield all executions, newest send first."""
    after = None
    while page := ports.executions.search(ExecutionSearch(), most=_AT_ONCE, after=after):
        yield from page
        after = (page[-1].send_at, page[-1].id)


def in_execution(execution: Execution, person: Person) -> Iterator[tuple[str, str]]:
    """Yield the fields of an execution that hold the id."""
    return person.found_in({"recipe": execution.recipe, "reason": execution.reason})


def upload_of(execution: Execution) -> Stored | None:
    """Return the uploaded audience of a one-off; None for any other execution."""
    criteria = execution.recipe.get("audienceCriteria")
    named = criteria.get(_UPLOAD) if isinstance(criteria, Mapping) else None
    if not isinstance(named, Mapping):
        return None
    return Stored(**{name: value for name, value in named.items() if name != "users"})


def with_upload(recipe: Mapping[str, Any], stored: Stored) -> dict[str, Any]:
    """Return a one-off's snapshot with another file for its uploaded audience."""
    criteria = recipe["audienceCriteria"]
    upload = {**criteria[_UPLOAD], **vars(stored)}
    return {**recipe, "audienceCriteria": {**criteria, _UPLOAD: upload}}


def holds_user(ports: Ports, execution: Execution, person: Person) -> bool:
    """Return whether an execution names the user, or has files with the user, complete or being written."""
    names = [name for folder in ("audiences", "devices") for name in ports.files.names(f"{folder}/{execution.id}")]
    rows = (row for name in names for row in _rows(ports, name, person))
    return next(in_execution(execution, person), None) is not None or next(rows, None) is not None


def ledger_days(now: datetime) -> Sequence[date]:
    """Return the days that the ledger may still hold."""
    return list(days_between(now - timedelta(days=LEDGER_DAYS), now + _AHEAD))


def dead_keys_of(ports: Ports, person: Person) -> frozenset[bytes]:
    """Return the keys of the device tokens that the user data have of the user."""
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = Path(folder) / "devices.csv"
        ports.engine.write_devices_of([person.user_id], path, per_user=_MOST_DEVICES)
        with path.open(newline="", encoding="utf-8") as file:
            return frozenset(token_key(row["token"]) for row in csv.DictReader(file, strict=True))


def lifted(ports: Ports, person: Person, keys: frozenset[bytes]) -> int:
    """Return how many of these device tokens count as dead."""
    partition = partition_of(person.key)
    return lift(ports.devices.graves(range(partition, partition + 1))[partition], keys=keys)[1]


def kept_messages(ports: Ports, person: Person) -> Sequence[Mapping[str, Any]]:
    """Return the messages of the user that an outbox keeps."""
    sender = ports.sender
    return sender.messages_of(person) if isinstance(sender, RememberingSender) else []


def _reserved(ports: Ports, person: Person) -> "Sequence[Reserved]":
    from functions.domain.cadence import ledger  # noqa: PLC0415 - it loads numpy

    days = ledger_days(ports.clock.now())
    stored = ports.ledger.transact(partition_of(person.key), days, lambda packed: ({}, dict(packed)))
    return ledger.reserved(stored, person.key)


def _in_testers(ports: Ports, person: Person) -> Iterator[Mention]:
    for tester in ports.testers.all():
        if person.is_me(tester.user_id):
            yield from (_mention(tester.name, found) for found in tester.document().items())


def _in_audit(ports: Ports, person: Person) -> Iterator[Mention]:
    for subject in ports.audit.subjects():
        for entry in ports.audit.all_of(subject):
            document = {"before": entry.before, "after": entry.after}
            for found in person.found_in(document):
                yield _mention(f"{subject}/{entry.number}", found)


def _rows(ports: Ports, name: str, person: Person) -> Iterator[Sequence[str]]:
    stored = None if is_draft(name) else ports.files.find(name)
    return iter(()) if stored is None else rows_with(ports, stored, person)


def _mention(place: str, found: tuple[str, str]) -> Mention:
    return Mention(place=place, field=found[0], text=found[1])
