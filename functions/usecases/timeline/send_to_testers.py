"""T-25: send each push of the sequence once to each test user, from the TEST audiences.

Once also when the task is delivered again: `usecases/sending/deliver.py` has the rule."""

from datetime import datetime

from functions.domain.alerts.alert import after_tests
from functions.domain.audience.partition import PARTITIONS
from functions.domain.errors import NotYet
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.push.outcomes import THIRD_PARTY_AUTH, WRONG_PROJECT, Tally
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.alerting.alert import raise_alert, raise_end_alert
from functions.usecases.sending.assignment import delivery_of
from functions.usecases.sending.deliver import deliver
from functions.usecases.timeline.build_audience import test_users
from functions.usecases.timeline.ending import block, expire
from functions.usecases.timeline.journal import breach, note
from functions.usecases.timeline.steps import Run, load_run, read_run

_PHASE = Phase.TEST_SENDING


def send_test(ports: Ports, execution_id: str) -> Execution:
    """Send the test pushes of an execution; a repeat returns the execution as it is."""
    run, now = load_run(ports, execution_id), ports.clock.now()
    if run.execution.state not in (State.LAUNCHED, State.AUDIENCE_READY):
        return _reported(ports, run, run.execution)
    if run.too_late(run.execution.send_at, now):
        return expire(ports, run)
    if now < run.timeline.test_at or run.execution.state is State.LAUNCHED:
        raise NotYet("sending the tests", run.timeline.test_at)
    ports.executions.change(execution_id, lambda execution: execution.started(_PHASE, now))
    problem = send_to_all_testers(ports, run)
    required = run.recipe.settings.safeguards.require_test_first
    if problem and required:
        return block(ports, run, _PHASE, _failed(problem, required=required))
    if problem:
        breach(ports, run.execution, _PHASE, _failed(problem, required=required))
    return _tested(ports, run)


def _failed(problem: str, *, required: bool) -> Finding:
    return Finding(
        type=ViolationType.TEST_FAILED,
        severity=Severity.CRITICAL if required else Severity.WARNING,
        message=f"the test send failed: {problem}",
        action="blocked" if required else "none; settings.safeguards.requireTestFirst is false",
    )


def send_to_all_testers(ports: Ports, run: Run) -> str | None:
    """Send the test pushes; return the problem and the setting to change, None if all arrived."""
    users = test_users(ports, run)
    if not users:
        return "the recipe has no test users; set settings.testUserIds or DEFAULT_TEST_USER_IDS"
    problems = []
    for push in range(1, len(run.recipe.pushes) + 1):
        files = ports.shards.push(run.execution.id, push)
        if files is not None and files.test.size:
            problem = _send_one(ports, run, files)
            problems += [problem] if problem else []
    return "; ".join(dict.fromkeys(problems)) or None


def _send_one(ports: Ports, run: Run, files: PushFiles) -> str | None:
    shard = ports.shards.create(test_shard(files))
    shard = deliver(ports, delivery_of(ports, run, files, test=True), shard)
    tally, strays, refused = shard.tally, *map(shard.outcomes.count, (WRONG_PROJECT, THIRD_PARTY_AUTH))
    message = f"push {files.push}: {tally.sent} of {tally.audience_size} test users got it"
    note(ports, run.execution.id, _PHASE, message)
    if tally.sent == tally.audience_size:
        return None
    said = [why_not_tested(reason, files.push) for reason in tally.excluded]
    if strays:
        project = ports.policy.firebase_project or "the one that sends"
        said.append(
            f"{strays} of {tally.audience_size} test users have a device token of another Firebase project than "
            f"{project}; check GOOGLE_CLOUD_PROJECT, or name test users of its app"
        )
    if refused:
        said.append(
            f"FCM cannot speak for the app to Apple or to a browser's push service for {refused} of "
            f"{tally.audience_size} test users; renew the APNs key or the web push certificate in Firebase's console"
        )
    if tally.failed > strays + refused:
        said.append(f"FCM refused push {files.push}; see its delivery log")
    said += [f"it is unknown whether push {files.push} arrived; look at the device"] if tally.unknown else []
    return "; ".join(said)


def why_not_tested(reason: str, push: int) -> str:
    """Return why a test user is excluded from a push, and the way out."""
    ways_out = {
        "no_token": "a test user has no device token; sign in to the app on a device, or name another test user",
        "invalid_user_id": "a test user's id is not valid; fix settings.testUserIds",
        "dead_token": "a test user's device token is dead; open the app on the device again",
        "missing_variable": f"a variable of push {push} is empty; give it a fallback: [[var:column|fallback]]",
        "bad_link": f"the deep link of push {push} is not allowed with the row's values; see ALLOWED_LINKS",
        "payload_too_large": f"push {push} is larger than the 4,096 bytes that FCM accepts; shorten it",
    }
    return ways_out.get(reason, f"excluded as {reason}")


def test_shard(files: PushFiles) -> Shard:
    """Return the one shard of a push's TEST audience."""
    return Shard(
        execution_id=files.execution_id,
        push=files.push,
        number=0,
        test=True,
        partitions=range(PARTITIONS),
        outcomes=b"." * files.test.size,
    )


def _tested(ports: Ports, run: Run) -> Execution:
    now = ports.clock.now()

    def change(execution: Execution) -> Execution:
        if execution.state is not State.AUDIENCE_READY:
            return execution
        tested = execution.ended(_PHASE, now).to(State.TESTED, now)
        if execution.kind is Kind.TEST:
            return tested.to(State.COMPLETED, now)
        return tested.started(Phase.CANCELLATION_WINDOW, now)

    execution = ports.executions.change(run.execution.id, change)
    if execution.state is State.TESTED:
        message = f"open until {_open_until(ports, execution):%H:%M} UTC: anyone can cancel"
        note(ports, execution.id, Phase.CANCELLATION_WINDOW, message)
    return _reported(ports, run, execution)


def _open_until(ports: Ports, execution: Execution) -> datetime:
    """Return the earliest end of the time to cancel: T-0, or later after a late start."""
    return read_run(execution).window_over_at(ports.policy.limits.shortest_window)


def _reported(ports: Ports, run: Run, execution: Execution) -> Execution:
    """Raise the alert about the result, also on a repeat: the first attempt may have failed before it."""
    tested = execution.kind is Kind.TEST and execution.state is State.COMPLETED
    if tested or execution.state in (State.TESTED, State.LIVE):
        shards = ports.shards.of(execution.id)
        tally = sum((shard.tally for shard in shards if shard.test), Tally())
        users, until = len(test_users(ports, run)), _open_until(ports, execution)
        raise_alert(ports, after_tests(execution, tally, users=users, until=until), execution.recipe)
    else:
        raise_end_alert(ports, execution)
    return execution
