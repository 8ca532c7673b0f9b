"""Entries of the audit log as sentences: who did what to which campaign or send, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from functions.domain.audience.dead_tokens import SUBJECT as GRAVES
from functions.domain.audience.segments import SUBJECT as SEGMENTS
from functions.domain.audit import ABOUT_SENDS, CHECKPOINTS, ERASURES, IMPORTS, Action, AuditEntry
from functions.domain.cadence.rule_changes import SUBJECT as RULES
from functions.domain.ids import ONE_OFF
from functions.domain.recipe.status import Status
from functions.domain.testers import SUBJECT as TEST_PEOPLE
from functions.handlers.console.changes import FieldChange, changes_between
from functions.handlers.console.words import spaced

KINDS: Mapping[str, tuple[str, frozenset[Action]]] = {
    "change": ("Created or changed", frozenset({Action.SAVED})),
    "activate": ("Activated or resumed", frozenset({Action.RESUMED})),
    "skip": ("Skipped, moved or restored", frozenset({Action.SKIPPED, Action.MOVED, Action.RESTORED})),
    "pause": ("Paused", frozenset({Action.PAUSED})),
    "delete": ("Deleted", frozenset({Action.DELETED})),
    "cancel": ("Cancelled", frozenset({Action.CANCELLED})),
    "stop": ("Stopped", frozenset({Action.STOPPED})),
    "test": ("Sent a test", frozenset({Action.TESTED})),
    "send": ("Sent now or once", frozenset({Action.STARTED, Action.SENT_ONCE})),
    "resolve": ("Resolved or reopened", frozenset({Action.RESOLVED, Action.REOPENED})),
    "import": ("Imported", frozenset({Action.IMPORTED})),
    "erase": ("Erased a person", frozenset({Action.ERASED, Action.REDACTED})),
}
"""The kinds of actions to filter by: their words, and the actions of each."""
_OF_SENDS: Mapping[Action, str] = {
    Action.SKIPPED: "skipped a send of",
    Action.RESTORED: "restored a send of",
    Action.MOVED: "moved a send of",
    Action.CANCELLED: "cancelled a send of",
    Action.STOPPED: "stopped a send of",
    Action.TESTED: "sent a test of",
    Action.STARTED: "started a send of",
    Action.SENT_ONCE: "sent a",
    Action.RESOLVED: "resolved an issue of",
    Action.REOPENED: "reopened an issue of",
}
_OF_OTHERS: Mapping[str, str] = {
    RULES: "the frequency caps",
    GRAVES: "dead device tokens",
    CHECKPOINTS: "the new entries of this log",
    ERASURES: "a person",
    IMPORTS: "past pushes of another system",
    ONE_OFF: "one-off push",
    TEST_PEOPLE: "the test people",
}
_ADDRESSES: Mapping[str, str] = {
    RULES: "/cadence",
    IMPORTS: "/cadence",
    TEST_PEOPLE: "/test-people",
}


@dataclass(frozen=True, kw_only=True)
class Did:
    """An entry as a sentence: the person, the verb and the thing, with the thing's address, if it has one."""

    entry: AuditEntry
    verb: str
    thing: str
    address: str
    reason: str
    execution_id: str
    violation_id: str
    changes: Sequence[FieldChange]


def did(entry: AuditEntry, names: Mapping[str, str]) -> Did:
    """Return an entry as a sentence. `names` are those of the recipes by their ids."""
    action, about = entry.deed.action, entry.after or {}
    execution_id = str(about.get("executionId", "")) if action in ABOUT_SENDS else ""
    address = f"/recipes/{quote(entry.recipe_id)}" if entry.recipe_id in names else _address(entry)
    created = _verb(entry) == "created"  # every field is new then, and the campaign's page has them
    return Did(
        entry=entry,
        verb=_verb(entry),
        thing=_thing(entry, names),
        address=f"/executions/{quote(execution_id)}" if execution_id else address,
        reason=_reason(entry) if action in ABOUT_SENDS else "",
        execution_id=execution_id,
        violation_id=str(about.get("violationId", "")) if action in ABOUT_SENDS else "",
        changes=[] if action in ABOUT_SENDS or created else changes_between(entry.before, entry.after),
    )


def _address(entry: AuditEntry) -> str:
    if entry.recipe_id == SEGMENTS:
        return f"/segments/{quote(str((entry.after or {}).get('id', '')))}".rstrip("/")
    return _ADDRESSES.get(entry.recipe_id, "")


def _verb(entry: AuditEntry) -> str:
    action, before = entry.deed.action, entry.before or {}
    if action is Action.SAVED:
        return "created" if entry.before is None and entry.recipe_id not in _OF_OTHERS else "changed"
    if action is Action.RESUMED:
        return "activated" if before.get("status") in (None, "", Status.DRAFT) else "resumed"
    return _OF_SENDS.get(action) or action.value


def _thing(entry: AuditEntry, names: Mapping[str, str]) -> str:
    if entry.recipe_id == SEGMENTS:
        return f"the segment {_last_name(entry)}"
    return _OF_OTHERS.get(entry.recipe_id) or names.get(entry.recipe_id) or _last_name(entry)


def _last_name(entry: AuditEntry) -> str:
    """Return the name that a deleted recipe had, else its id."""
    found = (entry.before or {}).get("name") or (entry.after or {}).get("name")
    return found if isinstance(found, str) else entry.recipe_id


def _reason(entry: AuditEntry) -> str:
    """Return what the person wrote, without the person's name, which executions keep behind it."""
    about = entry.after or {}
    reason = str(about.get("reason") or about.get("note") or "").removesuffix(f" ({entry.deed.by})")
    if entry.deed.action in (Action.RESOLVED, Action.REOPENED):
        kind = spaced(str(about.get("type", "")))
        return f"{kind}: {reason}" if reason else kind
    return "" if reason in ("asked for in the console", "asked for") else reason
