"""How long requests and audience jobs may take: the work of an attempt ends before its request does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from functions.domain.errors import Misconfigured
from functions.domain.task_limits import LONGEST_STATEMENT_SECONDS, dispatch_deadline, job_time
from functions.settings.read import read_settings

INFRA = Path(__file__).parents[2] / "infra/functions.tf"


def request_seconds() -> dict[str, int]:
    """Return the timeout of each function in Terraform."""
    found = re.findall(r"^    (\w+) = \{\n.*?timeout_seconds = (\d+)", INFRA.read_text(), re.MULTILINE | re.DOTALL)
    return {name: int(seconds) for name, seconds in found}


@pytest.mark.parametrize("function", ["build_audience", "api", "console"])
def test_an_audience_job_ends_well_before_its_request(function: str) -> None:
    seconds = request_seconds()[function]
    assert job_time(f"tminus-{function.replace('_', '-')}").total_seconds() == seconds * 5 / 6


def test_cloud_tasks_waits_for_an_answer_as_long_as_the_request_may_take() -> None:
    called = ("build_audience", "send_test", "checkpoint", "send_push", "send_shard", "finish", "send_alert")
    seconds = request_seconds()
    assert all(dispatch_deadline(name).total_seconds() >= seconds[name] for name in called)
    assert dispatch_deadline("build_audience") == timedelta(minutes=30)


def test_a_statement_may_take_no_longer_than_a_job() -> None:
    assert job_time("tminus-build-audience").total_seconds() == LONGEST_STATEMENT_SECONDS == 1500
    with pytest.raises(Misconfigured, match="from 1 to 1500"):
        read_settings({"USER_DATA_TIMEOUT_SECONDS": "1800"})


def test_the_service_says_how_long_a_job_may_take() -> None:
    assert read_settings({"K_SERVICE": "tminus-console"}).job_time == timedelta(seconds=250)
    assert read_settings({}).job_time == timedelta(minutes=25)
