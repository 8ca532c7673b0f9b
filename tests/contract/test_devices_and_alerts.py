"""What every Devices and every Alerts does."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.domain.alerts.alert import Alert
from local.embedded.alerts import FileAlerts
from local.embedded.clock import VirtualClock

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_graves_come_back_as_they_were_written_in_their_partition_only(ports: Any, open_ports: Any) -> None:
    assert ports.devices.graves(range(3)) == {0: b"", 1: b"", 2: b""}
    ports.devices.bury(1, lambda graves: graves + b"\x00one")
    ports.devices.bury(1, lambda graves: graves + b"\xfftwo")
    assert open_ports().devices.graves(range(1, 4)) == {1: b"\x00one\xfftwo", 2: b"", 3: b""}
    assert open_ports().devices.graves(range(0)) == {}


def test_burials_at_once_lose_none(open_ports: Any, at_once: Any) -> None:
    devices = [open_ports().devices for _ in range(2)]
    at_once(20, lambda number: devices[number % 2].bury(7, lambda graves: graves + bytes([number])))
    assert sorted(open_ports().devices.graves(range(7, 8))[7]) == list(range(20))


def test_an_alert_is_a_line_of_the_file(tmp_path: Path) -> None:
    FileAlerts(tmp_path / "alerts.jsonl", VirtualClock(NOON)).send(
        Alert(kind="test_failed", execution_id="e", message="kein Gerät 👟")
    )
    expected = '{"at":"2026-11-23T12:00:00Z","kind":"test_failed","executionId":"e","message":"kein Gerät 👟"}\n'
    assert (tmp_path / "alerts.jsonl").read_text() == expected


def test_an_alert_that_cannot_be_written_never_raises_and_is_logged(tmp_path: Path, caplog: Any) -> None:
    FileAlerts(tmp_path, VirtualClock(NOON)).send(Alert(kind="k", execution_id="e", message="look here"))
    assert "look here" in caplog.text
