"""SIGKILL in the middle of a live send, at any instant: FCM reads no message twice, and every count is right."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from local.standins.fcm import FakeFcm, Script, answers
from tests.conftest import MakeFcm
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.shard_worker import POLICY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
USERS = 600


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A laboratory whose push is live, its shard planned and not yet sent."""
    made = Lab(tmp_path / "lab", policy=POLICY)
    made.write_users({"a": range(USERS), "b": [9_000], "c": [9_001]})
    made.open().save(recipe(pushSequence=[push(1, layerId=3)]))
    made.run_to(SEND_AT, inclusive=False)
    made.clock.advance_to(SEND_AT)
    assert made.deliver("checkpoint").status == 200
    assert made.deliver("send_push", push=1, generation=0).status == 200
    made.close()
    yield made
    made.close()


def send_until_killed(lab: Lab, fcm: FakeFcm, requests: int) -> None:
    command = [sys.executable, "-m", "tests.functional.shard_worker", str(lab.folder), fcm.endpoint]
    worker = subprocess.Popen([*command, str(fcm.ca_file), str(fcm.service_account_file)], cwd=ROOT)
    try:
        assert fcm.wait_until(lambda: len(fcm.requests) >= requests, timeout_seconds=60)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=60)


@pytest.mark.long
@pytest.mark.parametrize(
    "requests", [120, *(pytest.param(number, marks=pytest.mark.long) for number in (1, 40, 333, 480))]
)
def test_a_kill_at_any_request_repeats_none_and_loses_no_count(lab: Lab, make_fcm: MakeFcm, requests: int) -> None:
    fcm, sender = make_fcm(script=Script(default=answers.SENT.after(0.03)))
    send_until_killed(lab, fcm, requests)
    lab.wrap = lambda ports: replace(ports, sender=sender)
    lab.open().run_to(SEND_AT + timedelta(hours=2))
    counts = Counter(request.token for request in fcm.requests)
    assert max(counts.values()) == 1
    numbers = lab.report()["pushes"][0]
    assert lab.report()["status"] == "completed"
    assert numbers["sent"] + numbers["unknown"] == USERS
    assert numbers["sent"] <= len(counts) <= USERS
    assert 0 < numbers["unknown"] <= 4 * POLICY.chunk_rows
