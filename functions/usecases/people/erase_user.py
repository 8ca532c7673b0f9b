"""Erase one user from every store: recipes, executions, files, ledger, dead tokens, test people, outbox and
audit log.

Counts stay: in files a mark stands for the user, and shards keep their outcomes. Each part can be repeated, so an
erasure that breaks off is simply started again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from functions.domain.audience.dead_tokens import lift
from functions.domain.audience.partition import partition_of
from functions.domain.audit import ERASURES, Action
from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Execution
from functions.domain.person import Person
from functions.domain.push.shard import PushFiles
from functions.domain.testers import NamedTester
from functions.ports import Ports
from functions.ports.sending import RememberingSender
from functions.usecases.deeds import deed_now
from functions.usecases.people.find_user import (
    dead_keys_of,
    every_execution,
    holds_user,
    in_execution,
    ledger_days,
    lifted,
    person_of,
    upload_of,
    with_upload,
)
from functions.usecases.people.person_in_files import (
    erase_receipt,
    erased_audience,
    erased_upload,
    finish_receipt,
    is_draft,
    rows_with,
    values_of,
)
from functions.usecases.timeline.built_pushes import built_pushes

_DAYS_AT_ONCE = 7
"""Firestore accepts 10 MiB per commit, and a day has up to 1 MB."""
_RECEIPTS, _AUDIENCES = "receipts", "audiences"


_NEVER_ABOUT_USERS = frozenset({"id", "status", "schedule"})


@dataclass(frozen=True, kw_only=True)
class Erased:
    """How many places of each store were changed, and settings with the id, which only the operator can change."""

    recipes: int
    executions: int
    files: int
    ledger_days: int
    dead_tokens: int
    test_people: int
    messages: int
    audit_entries: int
    settings: tuple[str, ...]


def erase_user(ports: Ports, user_id: str, *, by: str, progress: Callable[[str], object] = lambda _: None) -> Erased:
    """Erase a user, and add an entry to the audit log that names the user by a keyed hash.

    NotPossible while an execution is under way that names the user, or has built an audience with the user: its
    results would bring the user back. BadInput for an id that is not valid; Misconfigured without USER_HASH_KEY. A
    repetition changes nothing, and after a crash it goes on.
    """
    person, name = person_of(ports, user_id), person_of(ports, user_id).keyed_hash(ports.user_hash_key())
    _refuse_while_under_way(ports, person)
    done: dict[str, int] = {}
    for part, erase in _PARTS.items():
        progress(part)
        done[part] = sum(erase(ports, person, name, by))
    progress("database")
    ports.scrub()
    if any(done.values()) or not _noted(ports, name):
        ports.audit.add(ERASURES, deed_now(ports, by, Action.ERASED), {"user": name})
    named = any(map(person.is_me, ports.policy.default_test_user_ids))
    return Erased(**done, settings=("DEFAULT_TEST_USER_IDS",) if named else ())


def _refuse_while_under_way(ports: Ports, person: Person) -> None:
    for execution in ports.executions.unfinished():
        if holds_user(ports, execution, person):
            raise NotPossible(
                f"the execution {execution.id} is under way with this user: cancel it, or erase the user after it "
                "has ended and was cleaned up"
            )


def _recipes(ports: Ports, person: Person, _: str, by: str) -> Iterator[int]:
    """Take the id out of recipes; lists of test users lose it."""
    for document in ports.recipes.all():
        if _without(person, document) != document:
            ports.recipes.change(document["id"], partial(_without, person), deed_now(ports, by, Action.ERASED))
            yield 1


def _without(person: Person, document: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if document is None else _kept_whole(document, person.dropped_from)


def _kept_whole(recipe: Mapping[str, Any], erased: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a recipe with its values erased, except those that are never about users: an id may be `active`."""
    return {name: value if name in _NEVER_ABOUT_USERS else erased(value) for name, value in recipe.items()}


def _executions(ports: Ports, person: Person, _: str, __: str) -> Iterator[int]:
    """Take the id out of the snapshots of executions that have ended."""
    for execution in every_execution(ports):
        if next(in_execution(execution, person), None) is not None:
            ports.executions.change(execution.id, partial(_erased_snapshot, person))
            yield 1


def _erased_snapshot(person: Person, execution: Execution) -> Execution:
    recipe = _kept_whole(execution.recipe, person.erased_from)
    return replace(execution, recipe=recipe, reason=person.erased_from(execution.reason))


def _files(ports: Ports, person: Person, _: str, __: str) -> Iterator[int]:
    """Write audiences, uploads and receipts again without the user, and delete the old files."""
    for execution in every_execution(ports):
        for files in built_pushes(ports, execution.id):
            yield _audiences(ports, person, files)
        yield _upload(ports, person, execution)
    yield from _left_over(ports, person)
    for name in ports.files.names(_RECEIPTS):
        if is_draft(name):
            finish_receipt(ports, name)
    for name in ports.files.names(_RECEIPTS):
        yield int(erase_receipt(ports, name, person))


def _audiences(ports: Ports, person: Person, files: PushFiles) -> int:
    """Erase the user from both audiences of a push: the manifest names the new file before the old one goes."""
    new, old = files, list[str]()
    values = values_of(ports, files.live.rows, person)
    for kind, shared in (("live", frozenset()), ("test", values)):
        audience = getattr(files, kind)
        rows = erased_audience(ports, audience.rows, person, shared)
        if rows is not None:
            new = replace(new, **{kind: replace(audience, rows=rows)})
            old.append(audience.rows.stored.name)
    if old:
        ports.shards.save_push(new)
    for name in old:
        ports.files.remove(name)
    return len(old)


def _upload(ports: Ports, person: Person, execution: Execution) -> int:
    stored = upload_of(execution)
    new = erased_upload(ports, stored, person) if stored else None
    if stored is None or new is None:
        return 0
    ports.executions.change(execution.id, lambda each: replace(each, recipe=with_upload(each.recipe, new)))
    ports.files.remove(stored.name)
    return 1


def _left_over(ports: Ports, person: Person) -> Iterator[int]:
    """Delete files with the user that no manifest names: those of a process that died, or of a deleted execution.

    What an execution under way has just written may not be named yet, so its files are left alone.
    """
    names = [name for folder in (_AUDIENCES, "devices") for name in ports.files.names(folder)]
    named, under_way = set(_named_files(ports)), {each.id for each in ports.executions.unfinished()}
    for name in names:
        if name not in named and name.split("/")[1] not in under_way:
            stored = ports.files.find(name)
            if stored is not None and next(rows_with(ports, stored, person), None) is not None:
                ports.files.remove(name)
                yield 1


def _named_files(ports: Ports) -> Iterator[str]:
    for execution in every_execution(ports):
        upload = upload_of(execution)
        if upload:
            yield upload.name
        for files in built_pushes(ports, execution.id):
            for audience in (files.live, files.test):
                yield audience.rows.stored.name


def _ledger_days(ports: Ports, person: Person, _: str, __: str) -> Iterator[int]:
    """Take the user out of the cadence ledger. A later push counts as the first one."""
    from functions.domain.cadence import ledger  # noqa: PLC0415 - it loads numpy

    days = ledger_days(ports.clock.now())

    def change(packed: Mapping[Any, bytes]) -> tuple[Mapping[Any, bytes], int]:
        changed = ledger.forget(packed, person.key)
        return changed, len(changed)

    for first in range(0, len(days), _DAYS_AT_ONCE):
        some = days[first : first + _DAYS_AT_ONCE]
        yield ports.ledger.transact(partition_of(person.key), some, change)


def _dead_tokens(ports: Ports, person: Person, _: str, __: str) -> Iterator[int]:
    """Take the user's tokens out of the graves: those that the user data still have. Others expire."""
    keys = dead_keys_of(ports, person)
    found = lifted(ports, person, keys)
    if found:
        ports.devices.bury(partition_of(person.key), lambda graves: lift(graves, keys=keys)[0])
    yield found


def _test_people(ports: Ports, person: Person, _: str, by: str) -> Iterator[int]:
    """Take the user out of the test people: the name and the e-mail address go with the id."""

    def others(testers: Sequence[NamedTester]) -> Sequence[NamedTester]:
        return [tester for tester in testers if not person.is_me(tester.user_id)]

    before = ports.testers.all()
    if gone := len(before) - len(others(before)):
        ports.testers.change(others, deed_now(ports, by, Action.ERASED))
    yield gone


def _messages(ports: Ports, person: Person, _: str, __: str) -> Iterator[int]:
    if isinstance(ports.sender, RememberingSender):
        yield ports.sender.forget(person)


def _audit_entries(ports: Ports, person: Person, name: str, by: str) -> Iterator[int]:
    """Redact entries of the audit log, those of this erasure too."""
    for subject in ports.audit.subjects():
        for entry in ports.audit.all_of(subject):
            if subject != ERASURES:
                deed = deed_now(ports, by, Action.REDACTED)
                yield int(ports.audit.redact(entry, person.erased_from, name, deed))


def _noted(ports: Ports, name: str) -> bool:
    entries = ports.audit.all_of(ERASURES)
    return any((entry.after or {}) == {"user": name} for entry in entries)


_PARTS: Mapping[str, Callable[[Ports, Person, str, str], Iterator[int]]] = {
    "recipes": _recipes,
    "executions": _executions,
    "files": _files,
    "ledger_days": _ledger_days,
    "dead_tokens": _dead_tokens,
    "test_people": _test_people,
    "messages": _messages,
    "audit_entries": _audit_entries,
}
