"""Print an execution for people: line by line as it happens, and a table at its end."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from functions.ports.executions import LogEntry
from functions.usecases.reports.execution import ExecutionReport
from functions.usecases.reports.numbers import AllTotals, PushNumbers
from local.cli.options import size_of
from local.runtime.single_run import Plan

_STYLES = {"warning": "yellow", "error": "bold red"}


class Story:
    """Prints to standard output; nothing if `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(highlight=False, quiet=quiet, soft_wrap=True)
        self.console.size = size_of(self.console)
        self._send_at: datetime | None = None

    def open(self, plan: Plan) -> None:
        """Print what is about to run."""
        self._send_at = plan.send_at
        zone = plan.recipe.schedule.zone
        local = plan.send_at.astimezone(zone)
        self.console.print(f"\n[bold]{plan.recipe.name}[/]")
        self.console.print(f"sends {local:%a %d %b %Y at %H:%M} in {zone.key} ({plan.send_at:%H:%M} UTC)\n")

    def line(self, entry: LogEntry) -> None:
        """Print a line of the execution's log, with its distance from T-0."""
        phase = entry.phase.replace("_", " ")
        style = _STYLES.get(entry.level, "")
        text = f"  {self._distance(entry.at):>7}  {phase:<20} {entry.message}"
        self.console.print(text, style=style, markup=False)

    def close(self, report: ExecutionReport, state: Path) -> None:
        """Print the numbers and the files."""
        self.console.print()
        self.console.print(_table(report))
        totals = report.totals
        for reason, count in totals.excluded.items():
            self.console.print(f"    {reason} excluded {count:,}", markup=False)
        if report.unknown_why:
            self.console.print(f"    {report.unknown_why}", markup=False)
        if totals.people is not None:
            reached = totals.sent if totals.people_reached is None else totals.people_reached
            summary = f"{reached:,} of {totals.people:,} users got a push; {totals.sent:,} messages sent"
            self.console.print(f"    {summary}", markup=False)
        self._samples(report.execution_id, state / "outbox.jsonl")
        self.console.print(f"\n  {report.execution_id}: [bold]{report.status}[/] {report.reason}".rstrip())
        self.console.print(f"  audiences: {state}/audiences/{report.execution_id}/", markup=False)
        self.console.print(f"  receipt:   {state}/receipts/{report.execution_id}.csv", markup=False)
        if (state / "outbox.jsonl").exists():
            self.console.print(f"  messages:  {state}/outbox.jsonl", markup=False)

    def _samples(self, execution: str, outbox: Path) -> None:
        """Print the first message of each push, as a phone would show it."""
        first = _first_messages(execution, outbox)
        if first:
            self.console.print("\n  for example")
        for push, message in sorted(first.items()):
            self.console.print(f"    {push}  {message['title']}", markup=False)
            self.console.print(f"       {message['body']}", style="dim", markup=False)

    def _distance(self, at: datetime) -> str:
        seconds = 0 if self._send_at is None else round((at - self._send_at) / timedelta(seconds=1))
        minutes, rest = divmod(abs(seconds), 60)
        return f"T{'-' if seconds < 0 else '+'}{minutes}:{rest:02d}"


def _first_messages(execution: str, outbox: Path) -> Mapping[int, Mapping[str, Any]]:
    first: dict[int, Mapping[str, Any]] = {}
    if not outbox.exists():
        return first  # the messages went to FCM
    with outbox.open(encoding="utf-8") as lines:
        for message in map(json.loads, lines):
            if message["executionId"] == execution and not message["test"]:
                first.setdefault(message["push"], message)
    return first


def _table(report: ExecutionReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    for name in ("push", "audience", "users", "test", "excluded", "sent", "failed", "unknown", "not\nreached"):
        table.add_column(name, justify="left" if name == "audience" else "right", no_wrap=True)
    for push in report.pushes:
        table.add_row(str(push.order), push.audience, *_cells(push))
    table.add_row("all", "", *_cells(report.totals), style="bold")
    return table


def _cells(numbers: PushNumbers | AllTotals) -> list[str]:
    counts = [
        numbers.audience_size,
        numbers.test_sent,
        sum(numbers.excluded.values()),
        numbers.sent,
        numbers.failed,
        numbers.unknown,
        numbers.not_reached,
    ]
    return [f"{count:,}" for count in counts]
