"""Send the test pushes of a recipe to one user, through the API of a deployment, and measure each step."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from functions.domain.errors import BadInput, TminusError
from functions.domain.execution.execution import State as Ended
from functions.domain.instants import instant
from local.cli.api_client import ApiClient, NotThere, part
from local.doctor.finding import Finding, State

_RECIPES = "/api/automation/recipes"
_COPIED = ("type", "description", "schedule", "pushSequence", "audienceCriteria", "settings", "metadata")
_POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 1200.0
_STEPS = {
    "audience_generation": "tminus-build-audience",
    "test_sending": "tminus-send-test",
    "cleanup": "tminus-finish",
}
"""The phases of a test, and the function that does each."""
_LATE_SECONDS = 60.0

Wait = Callable[[float], object]
Progress = Callable[[str], object]


def send_test(
    api: ApiClient, recipe_id: str, user_id: str, *, progress: Progress, wait: Wait = time.sleep
) -> Sequence[Finding]:
    """Send the pushes of a recipe to one test user, and return a finding for each step: how late, how long.

    It makes a draft of the recipe with this one test user, starts it as a test and follows it for 20 minutes at most.
    At the end, also after Ctrl-C, it removes the draft, which cancels what still runs. Raises BadInput for an unknown
    recipe or user, NotAllowed and NoAnswer as ApiClient does.
    """
    with api.patient() as client, _draft(client, recipe_id, user_id) as draft:
        started = client.call(
            "POST",
            f"/api/automation/test/{part(draft)}",
            params={"mode": "test-live-send"},
            headers={"Idempotency-Key": draft},
        )
        execution = started.data["executionId"]
        progress(f"following {execution}")
        report = _followed(client, draft, execution, progress, wait)
    return [*_steps(report), _outcome(report, execution)]


@contextmanager
def _draft(client: ApiClient, recipe_id: str, user_id: str) -> Iterator[str]:
    """Make a draft of a recipe with one test user; yields its id, and removes it at the end."""
    recipe = client.call("GET", f"{_RECIPES}/{part(recipe_id)}").data
    name = f"doctor-{secrets.token_hex(4)}"
    document = {field: recipe[field] for field in _COPIED if recipe.get(field) is not None}
    settings = {**document.get("settings", {}), "testUserIds": [user_id]}
    document |= {"id": name, "name": f"Test of {recipe_id} by tminus doctor", "settings": settings}
    try:
        client.call("POST", _RECIPES, json={**document, "status": "draft", "isActive": False})
        yield name
    finally:
        _remove(client, name)


def _remove(client: ApiClient, name: str) -> None:
    """Cancel what still runs, and remove the draft; BadInput names what is left."""
    try:
        for each in client.call("GET", "/api/automation/control", params={"recipeId": name}).data["executions"]:
            order = {"action": "cancel", "executionId": each["executionId"], "reason": "tminus doctor has ended"}
            client.call("POST", "/api/automation/control", json=order)
        client.call("DELETE", f"{_RECIPES}/{part(name)}")
    except NotThere:
        return
    except TminusError as error:
        raise BadInput(f"the draft {name} could not be removed ({error}): tminus recipes remove {name}") from error


def _followed(client: ApiClient, draft: str, execution: str, progress: Progress, wait: Wait) -> Mapping[str, Any]:
    """Return the report of an execution that is cleaned up, or of one that lasts too long."""
    place, waited = f"/api/automation/{part(draft)}/executions/{part(execution)}", 0.0
    while True:
        report: Mapping[str, Any] = client.call("GET", place).data
        if _done(report) or waited >= _PATIENCE_SECONDS:
            return report
        progress(f"{execution}: {report['status']}, {report['phase'] or 'waiting'}")
        wait(_POLL_SECONDS)
        waited += _POLL_SECONDS


def _done(report: Mapping[str, Any]) -> bool:
    cleaned: Mapping[str, Any] = next((each for each in report["timeline"] if each["phase"] == "cleanup"), {})
    return Ended(report["status"]).final and bool(cleaned.get("endedAt"))


def _steps(report: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for each step: how late it started, and how long it took."""
    times = {each["phase"]: each for each in report["timeline"]}
    for phase, function in _STEPS.items():
        planned, started, ended = (
            instant(text) if (text := times.get(phase, {}).get(name)) else None
            for name in ("plannedAt", "startedAt", "endedAt")
        )
        fix = f"look at the log of {function}, and at the queue tminus-steps"
        if started is None or ended is None:
            yield _finding(phase, "it did not end" if started else "it did not start", fix)
            continue
        late = (started - planned).total_seconds() if planned else 0.0
        figures = f"started {max(late, 0.0):.0f} s after it was due, took {(ended - started).total_seconds():.1f} s"
        if late > _LATE_SECONDS:
            yield _finding(phase, figures, fix)
        else:
            yield Finding(kind="send test", what=f"{phase}: {figures}", state=State.OK)


def _outcome(report: Mapping[str, Any], execution: str) -> Finding:
    sent = [push["testSent"] for push in report["pushes"]]
    if report["status"] == Ended.COMPLETED and sent and all(sent):
        return Finding(kind="send test", what=f"{execution}: {sum(sent)} messages sent", state=State.OK)
    violations = (
        "; ".join(each["message"] for each in report["violations"]) or report["reason"] or "no reason is known"
    )
    fix = "the test user needs a device with a valid token; how-to-send-through-fcm.md explains FCM's answers"
    return _finding(execution, f"it is {report['status']}, with {sum(sent)} messages sent: {violations}", fix)


def _finding(what: str, problem: str, fix: str) -> Finding:
    return Finding(kind="send test", what=what, state=State.WRONG, problem=problem, fix=fix)
