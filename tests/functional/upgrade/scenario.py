"""An evening with executions in every phase at one instant, as one release leaves it to the next.

`play` makes it in a laboratory, and `record_states.py` records it. What is recorded stays as it is, also where this
module changes: a later release records its own.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from google.cloud import firestore

from functions.domain.errors import Transient
from functions.domain.execution.execution import Execution, Kind
from functions.domain.execution.safeguards import Limits
from functions.domain.instants import stamp
from functions.domain.policy import AlertPolicy, Policy
from functions.domain.push.outcomes import Outcome
from functions.gcp.firestore.documents import FirestoreDocuments
from functions.handlers.http.as_json import as_json
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.stores import stores_on
from functions.usecases.by_hand.send_once import OneOff, send_once
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.cadence.change_rules import change_rules
from functions.usecases.cadence.import_history import import_history
from functions.usecases.recipes.save import pause_recipe
from functions.usecases.reports.execution import report
from functions.usecases.reports.history import user_history
from functions.usecases.timeline.control import cancel, stop
from local.embedded.outbox import OutcomeScript
from tests.factories import TESTER, push, recipe, user
from tests.functional.conftest import EARLIER, SEND_AT, Lab
from tests.functional.crashes import Crash

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
AT = SEND_AT + 3 * MINUTE + 30 * SECOND
"""The instant at which the evening is cut."""
END = SEND_AT + timedelta(hours=3)
"""When all executions have ended."""
ONE_OFF_KEY, ONE_OFF_USERS = "spring-sale", (0, 1, 9)
_AUDIENCES = {"a": range(6), "b": range(6, 9), "c": range(9, 11)}
_DEAD, _UNKNOWN, _BAD = user(5), user(10), user(7)
_BY = "growth@example.com"

PHASES = {
    "finished": "completed, cleaned",
    "cancelled": "cancelled, cleaned",
    "failed": "failed, cleaned",
    "blocked": "blocked, cleaned",
    "stopped": "stopped, cleaned",
    "cleaning": "completed",
    "finishing": "live",
    "live": "live",
    "called-off": "cancelled",
    "window": "tested",
    "tested": "tested",
    "ready": "audience_ready",
    "building": "launched, building",
    "waiting": "launched, waiting",
    "by-hand": "tested",
    "rehearsed": "completed",
}
"""The recipes that have an execution at the cut, and its state. Besides them: two one-offs."""


class Evening(Lab):
    """A laboratory with the policy of the evening. With a `client`, its documents are in Firestore.

    Everything else is the embedded runtime: the queue, the scheduler, files and the outbox.
    """

    def __init__(self, folder: Path, client: firestore.Client | None = None) -> None:
        limits = replace(Limits(), executions_at_once=7)
        alerts = AlertPolicy(channels=("team",))
        policy = replace(Policy(), shard_rows=2, chunk_rows=1, limits=limits, alerts=alerts)
        outcomes = {_DEAD: Outcome.DEAD_TOKEN, _UNKNOWN: Outcome.UNKNOWN, _BAD: Outcome.BAD_MESSAGE}
        script = OutcomeScript(by_token={f"token-{owner}": outcome for owner, outcome in outcomes.items()})
        super().__init__(folder, policy=policy, script=script)
        self._client = client
        self.channels: Any = Channels()
        self.crashes: list[Callable[[Ports], Ports]] = []
        self.wrap = self._on_documents

    def _on_documents(self, ports: Ports) -> Ports:
        if self._client is not None:
            ports = replace(ports, **stores_on(FirestoreDocuments(self._client)))
        ports = replace(ports, channels=self.channels)
        for crash in self.crashes:
            ports = crash(ports)
        return ports

    def recover(self) -> None:
        """Take over as a new process does that does not die, and which reaches the alert channels."""
        self.crashes, self.channels = [], Channels()
        self.restart()

    def run_to_the_end(self) -> None:
        """Let everything happen until all executions of the evening have ended."""
        self.run_to(END)

    def run_through_crashes(self, until: Any) -> None:
        """Let everything happen until then. A worker that dies leaves its task and its leases behind."""
        while True:
            try:
                self.run_to(until)
            except Crash:
                continue
            return

    def outcome(self) -> dict[str, Any]:
        """Return what became of the evening: of each execution, how many messages left, and what is planned next."""
        found = self.ports.executions.search(ExecutionSearch(), most=100)
        ended = {each.id: _ended(each, as_json(report(self.ports, each.id))) for each in found}
        messages = Counter(f"{line['executionId']} {line['push']} {line['test']}" for line in self.outbox())
        return {
            "executions": dict(sorted(ended.items())),
            "messages": dict(sorted(messages.items())),
            "planned": {plan.recipe_id: stamp(plan.next_send_at) for plan in self.ports.recipes.plans()},
            "cadence": {user(n): self._reserved(user(n)) for n in (0, 4, 5, 9)},
            "changes": [f"{entry.recipe_id} {entry.number}" for entry in self.ports.audit.newest(most=100)],
        }

    def _reserved(self, owner: str) -> list[str]:
        kept = user_history(self.ports, owner, until=END, days=7)
        return [f"{stamp(each.at)} layer {each.layer}" for each in kept]


def _ended(execution: Execution, shown: Mapping[str, Any]) -> dict[str, Any]:
    names = ("audienceSize", "excluded", "sent", "failed", "unknown", "notReached")
    return {
        "status": shown["status"],
        "cleaned": execution.cleaned,
        "violations": sorted(violation["type"] for violation in shown["violations"]),
        "pushes": [{name: each[name] for name in names} for each in shown["pushes"]],
    }


class Channels:
    """Channels that take every alert."""

    def __init__(self) -> None:
        self.posted: list[str] = []

    def post(self, channel: str, _: Mapping[str, Any]) -> None:
        self.posted.append(channel)


class _Unreachable:
    def post(self, *_: object) -> None:
        raise Transient("the channel does not answer")


def play(lab: Evening) -> None:
    """Play the evening until the cut."""
    lab.write_users(_AUDIENCES, without_token=[3])
    owners = [user(n) for numbers in _AUDIENCES.values() for n in numbers if n != 3]
    second = [(_DEAD, "token-second-device")]
    lab.write_devices([*((owner, f"token-{owner}") for owner in [*owners, TESTER]), *second])
    lab.channels = _Unreachable()
    lab.crashes = [_dies_at_build, _dies_at_send(), _dies_at_cleanup]
    lab.restart()
    _save_recipes(lab)
    _make_history(lab.ports)
    lab.run_to(EARLIER + 30 * MINUTE)
    send_one_off(lab.ports, ONE_OFF_KEY, ONE_OFF_USERS)
    lab.run_to(SEND_AT - 85 * MINUTE)
    cancel(lab.ports, _of(lab, "cancelled"), "not today")
    lab.run_to(SEND_AT - 63 * MINUTE)
    stop(lab.ports, _of(lab, "stopped"), "a wrong link")
    lab.run_to(SEND_AT + MINUTE)
    cancel(lab.ports, _of(lab, "called-off"), "not this evening")
    start_by_hand(lab.ports, "by-hand", Kind.MANUAL, lab.clock.now())
    lab.run_through_crashes(SEND_AT + 2 * MINUTE + 10 * SECOND)
    send_one_off(lab.ports, "tonight", [6, 8])
    start_by_hand(lab.ports, "rehearsed", Kind.TEST, lab.clock.now())
    lab.run_through_crashes(AT)
    assert _phases(lab) == PHASES, _phases(lab)


def _of(lab: Evening, recipe_id: str) -> str:
    [found] = lab.ports.executions.search(ExecutionSearch(recipe_id=recipe_id), most=2)
    return found.id


def _phases(lab: Evening) -> dict[str, str]:
    found = {}
    for name in PHASES:
        execution = lab.execution(_of(lab, name))
        building = execution.state == "launched" and not execution.waiting
        notes = {
            "cleaned": execution.cleaned,
            "waiting": execution.waiting,
            "building": building and execution.phases,
        }
        found[name] = ", ".join([execution.state.value, *(note for note, holds in notes.items() if holds)])
    return found


def _save_recipes(lab: Evening) -> None:
    for name, sends in _SENDING.items():
        lab.save(_recipe(name, **sends))
    for document in _PLANNED:
        lab.save(document)
    lab.ports.recipes.change("by-conditions", lambda _: _BY_CONDITIONS)
    broken = _recipe("broken", "17:15", pushSequence=[push(1, title="For [[var:nothing]]")])
    lab.store({**broken, "id": "failed"})
    pause_recipe(lab.ports, "on-vacation", by=_BY)
    lab.ports.recipes.change("by-moonlight", lambda _: {"name": "Edited by hand", "schedule": "full moon"})


def _recipe(name: str, at: str, **changes: Any) -> dict[str, Any]:
    document = recipe(id=name, name=name, pushSequence=[push(1, audienceName="a")], schedule__executionTime=at)
    made = {**document, **changes}
    safeguards = {"alertThresholds": {"failureRate": 1}, **made["settings"].get("safeguards", {})}
    return {**made, "settings": {"testUserIds": [TESTER], **made["settings"], "safeguards": safeguards}}


_THREE = [
    push(1, audienceName="a"),
    push(2, audienceName="b", data={"campaign": "spring"}),
    push(3, audienceName="c", layerId=2),
]
_RESPONSIVE = {"pushSequence": [push(1, audienceName="a", layerId=3)]}
_ALERTS_THE_TEAM = {"settings": {"alertChannels": ["team"]}}
_SENDING: Mapping[str, Mapping[str, Any]] = {
    "finished": {"at": "17:00", **_RESPONSIVE},
    "cancelled": {"at": "17:10"},
    "blocked": {"at": "17:20", "settings": {"safeguards": {"maxAudienceSize": 1}}},
    "stopped": {
        "at": "17:25",
        **_ALERTS_THE_TEAM,
        "pushSequence": [push(1, audienceName="b"), push(2, audienceName="c", timing={"delayAfterPrevious": 20})],
    },
    "cleaning": {"at": "18:22", "pushSequence": [push(1, audienceName="c", layerId=5)]},
    "finishing": {"at": "18:25", "pushSequence": [push(1, audienceName="b", layerId=2)]},
    "live": {"at": "18:32", "pushSequence": _THREE},
    "called-off": {"at": "18:40"},
    "window": {"at": "18:50", **_RESPONSIVE},
    "tested": {"at": "18:56", "pushSequence": _THREE},
    "ready": {"at": "19:01"},
    "building": {"at": "19:03", "pushSequence": _THREE},
    "waiting": {"at": "19:03", "pushSequence": [push(1, audienceName="b", layerId=5)], **_ALERTS_THE_TEAM},
    "planned": {"at": "20:00", **_RESPONSIVE},
    "by-hand": {"at": "09:00", "pushSequence": _THREE},
    "rehearsed": {"at": "09:00", "status": "draft"},
}


def _scheduled(name: str, **schedule: Any) -> dict[str, Any]:
    document = _recipe(name, "09:30")
    return {**document, "schedule": {**document["schedule"], **schedule}}


_PLANNED: Sequence[dict[str, Any]] = (
    _scheduled("weekly", frequency="weekly", daysOfWeek=["tuesday", "friday"], timezone="America/New_York"),
    _scheduled("monthly", frequency="monthly", dayOfMonth=31),
    _scheduled("once", frequency="once", startDate="2026-04-01"),
    _scheduled("custom", frequency="custom", cronExpression="15 8 * * 1-5", endDate="2026-12-31"),
    _scheduled("on-vacation", leadTimeMinutes=60),
    {**_recipe("put-away", "10:00", settings={"onUnknown": "resend"}), "status": "archived"},
    {
        **_recipe("query-based", "11:00", status="draft", topic="news", metadata={"team": ["growth"], "n": 1.5}),
        "audienceCriteria": {"filters": {"lastActiveDays": 30}, "manualUserIds": [TESTER]},
        "pushSequence": [push(1, title="Hello", body="There")],
        "name": "Grüße, 世界",
    },
)
_BY_CONDITIONS = {
    **_recipe("by-conditions", "11:30", status="draft", ourOwnKey={"kept": None}),
    "audienceCriteria": {"where": {"column": "first_name", "op": "is_set"}},
}
"""As of a workspace with models, which this one lacks."""


def _make_history(ports: Ports) -> None:
    rows = [f"{user(0)},3,2026-02-28T10:00:00Z,old", f"{user(9)},2,2026-03-01T10:00:00Z,older"]
    import_history(ports, io.BytesIO("\n".join(["user_id,layer,sent_at,recipe", *rows]).encode()), dry_run=False)
    change_rules(ports, [{"name": "layer_3_cooldown", "hours": 48}], by=_BY)


def send_one_off(ports: Ports, key: str, users: Sequence[int]) -> Execution:
    """Send a push once; the same key and users find the execution of the first request."""
    written = {"title": "Hi [[var:name|you]]", "body": "b", "deepLink": "https://kicks.example", "layerId": 1}
    file = "\n".join(["user_id,name", *(f"{user(n)},Name {n}" for n in users)]).encode()
    return send_once(ports, OneOff(written=written), io.BytesIO(file), by="ann@example.com", key=key)


class _Instead:
    """A port with some methods replaced."""

    def __init__(self, port: object, **methods: Callable[..., Any]) -> None:
        self._port, self._methods = port, methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._port, name)


def _dies_at_build(ports: Ports) -> Ports:
    def write_once(name: str, source: Path) -> Any:
        if name.startswith("devices/building") and "2-b" in name:
            raise Crash(name)
        return ports.files.write_once(name, source)

    return replace(ports, files=_Instead(ports.files, write_once=write_once))


def _dies_at_cleanup(ports: Ports) -> Ports:
    def delete(folder: str) -> None:
        if folder.startswith("devices/cleaning"):
            raise Crash(folder)
        ports.files.delete(folder)

    return replace(ports, files=_Instead(ports.files, delete=delete))


def _dies_at_send() -> Callable[[Ports], Ports]:
    """Let a worker die after the fourth message of the live execution has left, and each later one at once."""
    left: list[object] = []

    def wrapped(ports: Ports) -> Ports:
        def send(envelope: Any, chunks: Any) -> Iterator[Any]:
            live = envelope.execution_id.startswith("live") and not envelope.test
            if live and len(left) > 3:
                raise Crash("before the request")
            for answer in ports.sender.send(envelope, chunks):
                if live:
                    left.append(answer)
                    if len(left) > 3:
                        raise Crash("before the answer is stored")
                yield answer

        return replace(ports, sender=_Instead(ports.sender, send=send))

    return wrapped
