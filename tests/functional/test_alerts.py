"""People are told of what an execution comes to: once each, whatever dies, and never at the cost of a send."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.domain.alerts.alert import EVERYTHING
from functions.domain.alerts.outgoing import Fate
from functions.domain.errors import BadRecipe, Refused, TminusError, Transient
from functions.domain.execution.execution import Kind
from functions.domain.policy import AlertPolicy
from functions.domain.push.outcomes import Outcome
from functions.gcp.webhooks import WebhookChannels
from functions.ports import Ports
from functions.ports.queue import Clock, Task, TaskQueue
from functions.usecases.alerting.send_alert import send_alert
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.timeline.control import cancel, stop
from functions.usecases.timeline.reconcile import reconcile
from local.embedded.outbox import OutcomeScript
from local.standins.webhook import Reply, WebhookSink
from tests.factories import recipe, user
from tests.functional.conftest import EARLIER, SEND_AT, START_AT, Lab
from tests.functional.crashes import Crash, CrashPoint

pytestmark = pytest.mark.slow

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MakeLab = Callable[..., Lab]
OF_A_RUN = ["audience_ready", "test_sent", "live_started", "finished"]


class KeptChannels:
    """Plays Channels: keeps what is posted with the instant, unless `trouble` says otherwise."""

    def __init__(self, clock: Callable[[], datetime], trouble: Callable[[str], TminusError | None]) -> None:
        self._now, self._trouble = clock, trouble
        self.posted: list[tuple[str, str, datetime]] = []
        self.payloads: list[Mapping[str, Any]] = []
        self.refused = 0

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        problem = self._trouble(channel)
        if problem is not None:
            self.refused += 1
            raise problem
        self.posted.append((channel, payload["text"].partition(": ")[2], self._now()))
        self.payloads.append(payload)

    @property
    def texts(self) -> list[str]:
        return [text for _, text, _ in self.posted]

    @property
    def began(self) -> list[str]:
        return [text.split()[0].strip(":") for text in self.texts]


class AlertLab:
    """A laboratory whose alerts go to kept channels."""

    def __init__(
        self,
        make_lab: MakeLab,
        *,
        trouble: Callable[[str], TminusError | None] = lambda _: None,
        down_until: datetime = EARLIER,
        **options: Any,
    ) -> None:
        alerts = AlertPolicy(
            channels=options.pop("channels", (EVERYTHING,)),
            console_url="https://console.example",
            link_secrets=("s" * 32,),
        )
        self._trouble, self._down_until = trouble, down_until
        self.channels = KeptChannels(self.now, self._problem)
        self._inner: Callable[[Ports], Ports] = options.pop("wrap", lambda ports: ports)
        document = options.pop("document", None)
        self.lab: Lab = make_lab(wrap=self._wrap, alerts=alerts, **options)
        self.lab.save(document)

    def now(self) -> datetime:
        return self.lab.clock.now()

    def _problem(self, channel: str) -> TminusError | None:
        return Transient("503") if self.now() < self._down_until else self._trouble(channel)

    def _wrap(self, ports: Ports) -> Ports:
        return self._inner(replace(ports, channels=self.channels))


def written_down(lab: Lab) -> list[str]:
    lines = (lab.state / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["kind"] for line in lines]


def test_a_run_sends_four_alerts_with_its_numbers(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    told.lab.run_to_the_end()
    assert told.channels.texts == [
        "the audiences are ready: 9 users in 3 pushes, 9 devices",
        "3 of 3 test pushes arrived (1 test user); anyone can cancel until 18:30 UTC",
        "it is live: 3 pushes, the last at 18:34 UTC",
        "completed: of 9 users 9 sent, 0 failed, 0 unknown, 0 not reached",
    ]
    assert written_down(told.lab) == OF_A_RUN


def test_without_channels_alerts_are_written_down_and_nothing_is_enqueued(lab: Lab) -> None:
    lab.run_to(SEND_AT - MINUTE)
    assert written_down(lab) == OF_A_RUN[:2]
    assert lab.system is not None
    assert {task.function for task, _ in lab.system.queue.pending()} == {"checkpoint", "send_push", "finish"}


@pytest.mark.long
def test_the_next_run_is_compared_with_the_last_one_that_had_audiences(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    told.lab.run_to_the_end()
    told.lab.write_users({"a": range(4), "b": range(4, 8), "c": ()})
    told.lab.run_to(SEND_AT + DAY - MINUTE)
    _, ready = [text for text in told.channels.texts if text.startswith("the audiences")]
    assert ready.endswith("biggest change against the run of 2026-03-02: push 3 (c) from 2 to 0 users, -100%")


def test_users_that_no_message_can_reach_are_shown_before_anything_is_sent(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    told.lab.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)}, without_token=[0, 8])
    told.lab.run_to(SEND_AT - 26 * MINUTE)
    assert told.channels.texts[0].endswith("9 users in 3 pushes, 7 devices; excluded so far: 2 no token")


def test_a_recipe_that_is_tried_tells_of_its_tests_alone(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    start_by_hand(told.lab.ports, "welcome", Kind.TEST, told.now())
    told.lab.run_to(told.now() + 30 * MINUTE)
    assert told.channels.texts == [
        "3 of 3 test pushes arrived (1 test user); it was a test: nothing else is sent",
    ]


def test_links_lead_to_the_execution_and_to_its_cancel_page_until_it_is_live(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    told.lab.run_to_the_end()
    linked = [json.dumps(payload) for payload in told.channels.payloads]
    assert ["console.example/cancel/1." in text for text in linked] == [True, True, False, False]
    assert all(f"<https://console.example/executions/{told.lab.id}|" in text for text in linked)


def test_no_secret_and_no_user_is_named_in_what_is_kept_and_written_down(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    told.lab.run_to_the_end()
    kept = (told.lab.state / "alerts.jsonl").read_text() + repr(told.lab.ports.alert_store.waiting(SEND_AT + DAY))
    assert "/cancel/" not in kept
    for payload in [kept, *map(json.dumps, told.channels.payloads)]:
        assert not [n for n in range(9) if user(n) in payload or f"token-{user(n)}" in payload]


@pytest.mark.long
def test_42_launches_at_once_tell_each_thing_once(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    told.lab.run_to(START_AT, inclusive=False)
    threads = [threading.Thread(target=told.lab.launch) for _ in range(42)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.lab.run_to_the_end()
    assert told.channels.began == ["the", "3", "it", "completed"]
    assert written_down(told.lab) == OF_A_RUN


@pytest.mark.long
@pytest.mark.parametrize("function", ["build_audience", "send_test", "checkpoint", "finish"])
def test_a_step_that_comes_again_tells_nothing_again(function: str, make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    for at in (SEND_AT - 26 * MINUTE, SEND_AT - 20 * MINUTE, SEND_AT + MINUTE, SEND_AT + 30 * MINUTE):
        told.lab.run_to(at)
        told.lab.deliver(function)
        told.lab.deliver(function)
    told.lab.run_to_the_end()
    assert told.channels.began == ["the", "3", "it", "completed"]
    assert written_down(told.lab) == OF_A_RUN


@pytest.mark.long
def test_a_cancelled_a_blocked_and_a_stopped_execution_say_so_with_the_reason(make_lab: MakeLab) -> None:
    cancelled = AlertLab(make_lab)
    cancelled.lab.run_to(SEND_AT - MINUTE)
    cancel(cancelled.lab.ports, cancelled.lab.id, "wrong shoes")
    cancelled.lab.run_to_the_end()
    assert cancelled.channels.texts[2:] == ["cancelled: wrong shoes; nothing is sent"]

    blocked = AlertLab(make_lab, document=recipe(settings__safeguards={"maxAudienceSize": 3}))
    blocked.lab.run_to_the_end()
    [only] = blocked.channels.texts
    assert only.startswith("blocked: push 1 (a) holds 4 users; the limit is 3")

    stopped = AlertLab(make_lab)
    stopped.lab.run_to(SEND_AT + 3 * MINUTE)
    stop(stopped.lab.ports, stopped.lab.id, "wrong link")
    stopped.lab.run_to_the_end()
    assert stopped.channels.texts[3:] == [
        "stopped: wrong link; nothing more is sent",
        "stopped: of 9 users 7 sent, 0 failed, 0 unknown, 2 not reached",
    ]


def test_a_failure_rate_that_trips_sends_one_alert_with_its_own_name(make_lab: MakeLab) -> None:
    failing = OutcomeScript(by_token={f"token-{user(n)}": Outcome.BAD_MESSAGE for n in range(200)})
    told = AlertLab(make_lab, script=failing, chunk_rows=50)
    told.lab.write_users({"a": range(200), "b": (), "c": ()})
    told.lab.run_to_the_end()
    assert written_down(told.lab).count("failure_rate") == 1
    [tripped] = [text for text in told.channels.texts if "threshold" in text]
    assert tripped.startswith("stopped: 50 of 50 messages failed")


def test_drift_sends_one_alert_a_day(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    for _ in range(3):
        told.lab.ports.schedules.delete("tminus-welcome")
        reconcile(told.lab.ports)
    told.lab.run_to(told.lab.clock.now() + MINUTE)
    assert told.channels.texts == [
        "reconciling found 1 difference: created the schedule tminus-welcome: 0 18 * * * in UTC"
    ]


def test_alerts_of_a_recipe_go_to_the_channels_that_it_names(make_lab: MakeLab) -> None:
    known = (EVERYTHING, "growth", "retention")
    told = AlertLab(make_lab, channels=known, document=recipe(settings__alertChannels=["retention"]))
    told.lab.run_to(SEND_AT - 26 * MINUTE)
    assert [channel for channel, _, _ in told.channels.posted] == [EVERYTHING, "retention"]


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        (["growth", "unknown"], r'settings.alertChannels\[1\]: "unknown" is not a channel; there are all, growth'),
        ("growth", "settings.alertChannels: must be a list of channels' names"),
        (["https://10.0.0.1/"], "is not a channel"),
        ([7], "is not a channel"),
    ],
)
def test_a_recipe_can_name_only_channels_that_the_deployment_has(named: Any, reason: str, make_lab: MakeLab) -> None:
    with pytest.raises(BadRecipe, match=reason):
        AlertLab(make_lab, channels=(EVERYTHING, "growth"), document=recipe(settings__alertChannels=named))


@pytest.mark.long
@pytest.mark.parametrize("broken", ["growth", 7, {"a": 1}, [None, 7]])
def test_channels_that_were_broken_by_hand_keep_nothing_from_being_sent(broken: Any, make_lab: MakeLab) -> None:
    told = AlertLab(make_lab)
    told.lab.ports.recipes.change(
        "welcome", lambda old: old and {**old, "settings": {**old["settings"], "alertChannels": broken}}
    )
    told.lab.run_to_the_end()
    assert len(told.lab.outbox(test=False)) == 9
    assert len(told.channels.posted) == 4


# What may go wrong on the way.


def test_a_channel_that_is_down_for_an_hour_gets_every_alert_once_after_it(make_lab: MakeLab) -> None:
    up_at = START_AT + timedelta(hours=1)
    told = AlertLab(make_lab, down_until=up_at)
    told.lab.run_to_the_end()
    assert told.channels.refused > 10
    assert Counter(told.channels.began) == Counter(["the", "3", "it", "completed"])
    assert all(up_at <= at < up_at + 2 * MINUTE for _, _, at in told.channels.posted)
    assert len(told.lab.outbox(test=False)) == 9
    first = next(json.dumps(payload) for payload in told.channels.payloads if "audiences" in payload["text"])
    assert "it was raised at 2026-03-02 18:00 UTC" in first
    assert "/cancel/" not in first, "there is nothing to cancel any more"


@pytest.mark.long
def test_a_channel_that_is_down_keeps_nothing_from_the_others(make_lab: MakeLab) -> None:
    def down(channel: str) -> TminusError | None:
        return Transient("503") if channel == EVERYTHING else None

    told = AlertLab(
        make_lab,
        trouble=down,
        channels=(EVERYTHING, "growth"),
        document=recipe(settings__alertChannels=["growth"]),
    )
    told.lab.run_to_the_end()
    assert [channel for channel, _, _ in told.channels.posted] == ["growth"] * 4


def test_an_alert_is_given_up_after_a_day(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab, down_until=START_AT + DAY)
    told.lab.run_to(START_AT + MINUTE)
    [waiting] = told.lab.ports.alert_store.waiting(told.now())
    told.lab.clock.advance_to(START_AT + DAY + MINUTE)
    assert send_alert(told.lab.ports, waiting.id).fates == {EVERYTHING: Fate.GIVEN_UP}
    assert told.channels.posted == []
    assert told.lab.ports.alert_store.waiting(told.now()) == []


def test_what_a_channel_refuses_for_good_is_not_tried_again(make_lab: MakeLab) -> None:
    told = AlertLab(make_lab, trouble=lambda _: Refused("channel all answers 404"))
    told.lab.run_to_the_end()
    assert told.channels.refused == 4
    assert told.lab.ports.alert_store.waiting(told.lab.clock.now()) == []


def test_a_webhook_that_hangs_moves_no_message_by_a_second(make_lab: MakeLab) -> None:
    plain = make_lab()
    plain.save()
    plain.run_to(SEND_AT + 10 * MINUTE)
    release = threading.Event()
    with WebhookSink(otherwise=Reply(release=release)) as sink:
        web = WebhookChannels({EVERYTHING: sink.url}, patience=timedelta(milliseconds=20))
        hanging = make_lab(
            wrap=lambda ports: replace(ports, channels=web), alerts=AlertPolicy(channels=(EVERYTHING,))
        )
        hanging.save()
        hanging.run_to(SEND_AT + 10 * MINUTE)
        assert len(sink.asked) > 20
        release.set()
    assert [(m["at"], m["token"]) for m in hanging.outbox()] == [(m["at"], m["token"]) for m in plain.outbox()]


class RefusingQueue:
    """A queue that takes no alert, like one that does not exist."""

    def __init__(self, queue: TaskQueue, clock: Clock, until: datetime) -> None:
        self._queue, self._clock, self._until = queue, clock, until

    def add(self, task: Task) -> bool:
        if task.function == "send_alert" and self._clock.now() < self._until:
            raise Transient("Cloud Tasks: unavailable")
        return self._queue.add(task)


@pytest.mark.long
def test_a_queue_that_takes_no_alerts_fails_no_step_and_reconciling_sends_them_later(make_lab: MakeLab) -> None:
    def refusing(ports: Ports) -> Ports:
        return replace(ports, tasks=RefusingQueue(ports.tasks, ports.clock, SEND_AT + 5 * MINUTE))

    told = AlertLab(make_lab, wrap=refusing)
    told.lab.run_to(SEND_AT + 6 * MINUTE)
    assert len(told.lab.outbox(test=False)) == 9
    told.lab.run_to_the_end()
    assert Counter(told.channels.began) == Counter(["the", "3", "it", "completed"])


def crash_run(make_lab: MakeLab, point: CrashPoint) -> AlertLab:
    """Run an execution, starting the process again wherever it dies."""
    told = AlertLab(make_lab, wrap=point.wrap)
    while True:
        try:
            told.lab.run_to(SEND_AT + timedelta(hours=1))
        except Crash:
            told.lab.restart()
        else:
            return told


BESIDE_THE_POST = ("alert_store.record", "alert_store.change", "alerts.send", "tasks.add")


@pytest.mark.long
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "call", ["channels.post", *(pytest.param(call, marks=pytest.mark.long) for call in BESIDE_THE_POST)]
)
def test_a_crash_around_an_alert_loses_none_and_repeats_only_unconfirmed_ones(
    call: str, after: bool, make_lab: MakeLab
) -> None:
    quiet = CrashPoint(None)
    crash_run(make_lab, quiet)
    # Tasks that are no alerts' are none of this test's business: an alert's follows its line.
    places = [
        number
        for number, name in enumerate(quiet.calls)
        if name == call and (call != "tasks.add" or quiet.calls[number - 1] == "alerts.send")
    ]
    assert len(places) >= 4
    for place in (*places[:2], *places[-2:]):
        told = crash_run(make_lab, CrashPoint(place, after=after))
        told.lab.assert_contract()
        counts = Counter(told.channels.began)
        unknown = (call == "channels.post" and after) or (call == "alert_store.change" and not after)
        assert set(counts) - {"reconciling"} == {"the", "3", "it", "completed"}
        assert counts.total() - counts["reconciling"] <= 4 + unknown
        assert len(told.lab.outbox(test=False)) == 9
        told.lab.close()
