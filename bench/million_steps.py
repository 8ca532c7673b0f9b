"""The functions of the big push, each called in its own process as Cloud Tasks and Cloud Scheduler call it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.campaign import DUE, EXECUTION_ID, RECIPE_ID, opened, save_campaign, write_user_data
from bench.history import LETS_ALL_THROUGH, write_history
from bench.operations import Operations, counted
from bench.process import Usage
from bench.sink import fcm_settings
from functions import bootstrap
from functions.domain.push.outcomes import NO_RULES
from functions.domain.push.shard import live_tally
from functions.ports import Ports
from functions.ports.sending import PushSender
from local.embedded.clock import VirtualClock
from local.runtime.functions import Runtime, load_functions
from local.runtime.serving import SOURCE


def prepare(folder: str, users: int) -> None:
    """Write the user data, and save the recipe."""
    write_user_data(Path(folder) / "data", users)
    with opened(Path(folder), DUE["launch"]) as system:
        save_campaign(system.ports)


def remember(folder: str) -> None:
    """Write a week of earlier pushes into the ledger, none of which holds a user back."""
    with opened(Path(folder), DUE["send_push"]) as system:
        write_history(system.ports, LETS_ALL_THROUGH)


def call(function: str, folder: str, endpoint: str, ca_file: str, credentials_file: str) -> dict[str, Any]:
    """Call a function for all of its tasks; return seconds, MiB, operations, calls, and the users reached so far."""
    sender: PushSender | None = None
    if function in ("send_test", "send_shard"):
        sender = bootstrap.fcm_sender(fcm_settings(endpoint, ca_file, credentials_file))
    apps = load_functions([function], SOURCE)
    counts = Operations()
    with opened(Path(folder), DUE[function], sender) as system:
        ports = counted(system.ports, counts)
        clock = VirtualClock(DUE[function])
        runtime = Runtime(system.queue, system.schedules, clock, apps, lambda: bootstrap.bind(ports))
        requests = list(_requests(system.ports, function))
        usage = Usage()
        for headers, body in requests:
            answer = runtime.call(function, headers, body)
            if answer.status != 200:
                raise RuntimeError(f"{function} answered {answer.status}: {answer.text}")
        taken = usage.document()
        sent = live_tally(0, system.ports.shards.of(EXECUTION_ID), NO_RULES).sent
    return {**taken, "calls": len(requests), "operations": counts.document(), "sent": sent}


def _requests(ports: Ports, function: str) -> Iterator[tuple[Mapping[str, str], Mapping[str, Any]]]:
    """Yield headers and body of each request that a function gets."""
    if function == "launch":
        yield {"X-CloudScheduler-ScheduleTime": f"{DUE['launch']:%Y-%m-%dT%H:%M:%SZ}"}, {"recipeId": RECIPE_ID}
        return
    headers, body = {"X-CloudTasks-TaskName": function}, {"executionId": EXECUTION_ID, "generation": 0}
    if function == "send_push":
        yield headers, {**body, "push": 1}
    elif function == "send_shard":
        shards = [shard for shard in ports.shards.of(EXECUTION_ID) if not shard.test]
        for shard in shards:
            yield headers, {**body, "push": 1, "shard": shard.number}
    else:
        yield headers, body
