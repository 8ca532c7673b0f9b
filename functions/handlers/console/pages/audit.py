"""Activity: what people did to campaigns and sends, from the audit log; and who read personal data."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response

from functions.domain.audit import CHECKPOINTS, Action, AuditEntry
from functions.domain.errors import BadInput
from functions.domain.roles import Role
from functions.handlers.console.activity_words import KINDS, did
from functions.handlers.console.answering import page, to
from functions.handlers.console.viewer_zone import days_asked, zone_of_viewer
from functions.handlers.console.visit import Route, Visit
from functions.handlers.http.paging import activity_cursor, activity_place, cursor_of, place_of
from functions.usecases.reports.accesses import list_accesses
from functions.usecases.reports.activity import OWN_SUBJECTS, ActivitySearch, find_activity
from functions.usecases.reports.campaign_index import campaign_index, named
from functions.usecases.reports.verify_audit import audit_sentences, verify_audit
from functions.usecases.reports.violations import reopen_violation

_AT_ONCE = 50
_FILTERS = ("recipe", "by", "kind", "from", "to")


def show(visit: Visit) -> Response:
    """Show what people did, newest first: all of it, or what matches the filters."""
    zone, names = zone_of_viewer(visit), {each.id: each.name for each in campaign_index(visit.ports)}
    wanted = _search(visit)
    nothing = bool(visit.asked("recipe")) and not wanted.subjects
    found = None if nothing else find_activity(visit.ports, wanted, after=activity_place(visit.asked("before")))
    entries = found.entries if found else ()
    kept = {name: visit.asked(name) for name in _FILTERS if visit.asked(name)}
    following = activity_cursor(found.next if found else None)
    return page(
        visit,
        "audit.html",
        zone=zone,
        asked={name: visit.asked(name) for name in _FILTERS},
        kept=kept,
        kinds=[(key, words) for key, (words, _) in KINDS.items()],
        entries=[did(entry, names) for entry in entries],
        reopenable=_reopenable(entries) if visit.may(Role.OPERATOR) else frozenset(),
        reopened=visit.asked("outcome") == "reopened",
        newer=urlencode(kept) if visit.asked("before") else None,
        older=urlencode({**kept, "before": following}) if following else None,
        **_state(visit),
    )


def _search(visit: Visit) -> ActivitySearch:
    text, kind = visit.asked("recipe")[:200], visit.asked("kind")
    if kind and kind not in KINDS:
        raise BadInput(f"unknown kind of action {kind!r}; choose one of {', '.join(KINDS)}")
    since, until = days_asked(visit, zone_of_viewer(visit))
    subjects = (text,) if text in OWN_SUBJECTS else named(campaign_index(visit.ports), text) if text else ()
    actions = KINDS[kind][1] if kind else frozenset()
    return ActivitySearch(
        subjects=frozenset(subjects), by=visit.asked("by"), actions=actions, since=since, until=until
    )


def _reopenable(entries: Sequence[AuditEntry]) -> frozenset[tuple[str, int]]:
    """Return the entries whose resolutions can be taken back: the newest about their violations."""
    newest: dict[str, AuditEntry] = {}
    for entry in entries:
        if entry.deed.action in (Action.RESOLVED, Action.REOPENED):
            newest.setdefault(str((entry.after or {}).get("violationId")), entry)
    return frozenset((each.recipe_id, each.number) for each in newest.values() if each.deed.action is Action.RESOLVED)


def reopen(visit: Visit) -> Response:
    """Take back the resolution of a violation."""
    reopen_violation(visit.ports, visit.field("execution"), visit.field("violation"), by=visit.caller.name)
    return to(visit, "/audit", outcome="reopened")


def _state(visit: Visit) -> dict[str, Any]:
    """Return when the log was last checked, and the result of verifying it now if an admin asks for that."""
    [*last] = visit.ports.audit.of_recipe(CHECKPOINTS, most=1)
    asked = bool(visit.asked("verify")) and visit.may(Role.ADMIN)
    verified = verify_audit(visit.ports) if asked else None
    return {
        "checked_at": last[0].deed.at if last else None,
        "verified": verified,
        "problems": list(audit_sentences(verified)) if verified else [],
        "may_verify": visit.may(Role.ADMIN),
    }


def show_accesses(visit: Visit) -> Response:
    """Show who read or exported personal data, page by page."""
    found = list_accesses(visit.ports, most=_AT_ONCE, after=place_of(visit.asked("before")))
    older = cursor_of(*found.next) if found.next else None
    return page(visit, "accesses.html", entries=found.entries, older=older, before=visit.asked("before"))


ROUTES = (
    Route(method="GET", path="/audit", serve=show),
    Route(method="POST", path="/audit/reopen", serve=reopen, least=Role.OPERATOR),
    Route(method="GET", path="/audit/access", serve=show_accesses, least=Role.ADMIN),
)
