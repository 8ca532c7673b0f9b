"""What every Schedules does with its jobs; tests/contract/test_embedded_scheduler.py has their firing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.ports.queue import ScheduledJob

DAILY = ScheduledJob(name="daily", cron="0 18 * * *", zone="Europe/Berlin", function="launch", body={"größe": "👟"})


def test_jobs_come_back_as_they_were_put(ports: Any, open_ports: Any) -> None:
    assert list(ports.schedules.all()) == []
    ports.schedules.put(DAILY)
    ports.schedules.put(replace(DAILY, name="another"))
    assert list(open_ports().schedules.all()) == [replace(DAILY, name="another"), DAILY]


def test_a_put_replaces_the_job_of_its_name(ports: Any) -> None:
    ports.schedules.put(DAILY)
    ports.schedules.put(replace(DAILY, cron="30 7 * * 1"))
    assert list(ports.schedules.all()) == [replace(DAILY, cron="30 7 * * 1")]


def test_concurrent_puts_of_a_name_leave_one_job(ports: Any, at_once: Callable[..., Any]) -> None:
    at_once(16, lambda number: ports.schedules.put(replace(DAILY, cron=f"{number} 18 * * *")))
    assert len(ports.schedules.all()) == 1


def test_a_deleted_job_is_gone_and_deleting_it_again_is_nothing(ports: Any) -> None:
    ports.schedules.put(DAILY)
    ports.schedules.delete("daily")
    ports.schedules.delete("daily")
    assert list(ports.schedules.all()) == []


@pytest.mark.parametrize(
    "wrong", [{"cron": "0 18 * *"}, {"cron": "61 * * * *"}, {"zone": "Europe"}, {"zone": "Mars/X"}]
)
def test_a_job_whose_cron_or_zone_means_nothing_is_refused(ports: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"fields|minute|time zone"):
        ports.schedules.put(replace(DAILY, **wrong))
    assert list(ports.schedules.all()) == []
