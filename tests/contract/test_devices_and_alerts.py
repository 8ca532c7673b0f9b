"""What every Devices and every Alerts does."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.ports import Alert
from local.embedded.alerts import FileAlerts
from local.embedded.clock import VirtualClock

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_token_is_dead_once_it_was_buried(ports: Any, open_ports: Any) -> None:
    assert ports.devices.dead(["a", "b"]) == set()
    ports.devices.bury(["a", "ü:👟"], NOON)
    ports.devices.bury({"a"}, NOON)
    assert open_ports().devices.dead(["a", "b", "ü:👟"]) == {"a", "ü:👟"}


def test_burying_and_asking_for_none_is_nothing(ports: Any) -> None:
    ports.devices.bury([], NOON)
    assert ports.devices.dead([]) == set()


def test_fifty_thousand_tokens_are_asked_for_at_once(ports: Any) -> None:
    tokens = [f"token-{number}" for number in range(50_000)]
    ports.devices.bury(tokens[::2], NOON)
    assert ports.devices.dead(tokens) == set(tokens[::2])


def test_an_alert_is_a_line_of_the_file(ports: Any, tmp_path: Path) -> None:
    ports.alerts.send(Alert(kind="test_failed", execution_id="e", message="kein Gerät 👟"))
    expected = '{"at":"2026-11-23T12:00:00Z","kind":"test_failed","executionId":"e","message":"kein Gerät 👟"}\n'
    assert (tmp_path / "alerts.jsonl").read_text() == expected


def test_an_alert_that_cannot_be_written_never_raises_and_is_logged(tmp_path: Path, caplog: Any) -> None:
    FileAlerts(tmp_path, VirtualClock(NOON)).send(Alert(kind="k", execution_id="e", message="look here"))
    assert "look here" in caplog.text
