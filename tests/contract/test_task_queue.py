"""What every TaskQueue does when tasks are added; tests/contract/test_embedded_queue.py has the dispatching side."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Make = Callable[..., Any]


def test_a_second_task_of_a_name_is_dropped(ports: Any, open_ports: Any, a_task: Make) -> None:
    assert ports.tasks.add(a_task("a"))
    assert not open_ports().tasks.add(a_task("a", body={"other": True}))
    assert ports.tasks.add(a_task("b"))


def test_of_42_concurrent_adds_of_a_name_one_wins(open_ports: Any, a_task: Make, at_once: Make) -> None:
    queues = [open_ports().tasks for _ in range(2)]
    assert at_once(42, lambda number: queues[number % 2].add(a_task("a"))).count(True) == 1


def test_a_task_of_100_kilobytes_is_too_large(ports: Any, a_task: Make) -> None:
    with pytest.raises(ValueError, match=r"task big: 1\d\d,\d\d\d bytes"):
        ports.tasks.add(a_task("big", body={"text": "ü" * 51_200}))
    assert ports.tasks.add(a_task("large", body={"text": "ü" * 51_000}))


def test_a_task_may_be_30_days_ahead_and_no_more(ports: Any, a_task: Make) -> None:
    assert ports.tasks.add(a_task("near", at=NOON + timedelta(days=30)))
    with pytest.raises(ValueError, match="more than 30 days ahead"):
        ports.tasks.add(a_task("far", at=NOON + timedelta(days=30, microseconds=1)))


@pytest.mark.parametrize("name", ["", "a/b", "größe", "a" * 501])
def test_a_name_that_cloud_tasks_refuses_is_refused(ports: Any, a_task: Make, name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits, hyphens and underscores"):
        ports.tasks.add(a_task(name))
