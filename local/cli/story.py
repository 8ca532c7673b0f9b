"""Prints an execution for people: line by line as it happens, and in a table at its end."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from functions.ports.executions import LogEntry
from local.cli.options import size_of
from local.runtime.single_run import Plan

_STYLES = {"warning": "yellow", "error": "bold red"}


class Story:
    """Prints to standard output; `quiet` prints nothing."""

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

    def close(self, report: Mapping[str, Any], state: Path) -> None:
        """Print the numbers, and the files that they count."""
        table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
        for name in ("push", "audience", "users", "test", "excluded", "sent", "failed", "unknown", "not\nreached"):
            table.add_column(name, justify="left" if name == "audience" else "right", no_wrap=True)
        for push in report["pushes"]:
            table.add_row(*_cells(push))
        totals = {"order": "all", "audience": "", **report["totals"]}
        table.add_row(*_cells(totals), style="bold")
        self.console.print()
        self.console.print(table)
        for reason, count in report["totals"]["excluded"].items():
            self.console.print(f"    {reason} excluded {count:,}", markup=False)
        if report["unknownWhy"]:
            self.console.print(f"    {report['unknownWhy']}", markup=False)
        totals = report["totals"]
        if totals["people"] is not None:
            reached = totals["sent"] if totals["peopleReached"] is None else totals["peopleReached"]
            summary = f"{reached:,} of {totals['people']:,} users got a push; {totals['sent']:,} messages sent"
            self.console.print(f"    {summary}", markup=False)
        self._samples(report["executionId"], state / "outbox.jsonl")
        self.console.print(f"\n  {report['executionId']}: [bold]{report['status']}[/] {report['reason']}".rstrip())
        self.console.print(f"  audiences: {state}/audiences/{report['executionId']}/", markup=False)
        self.console.print(f"  receipt:   {state}/receipts/{report['executionId']}.csv", markup=False)
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
        return first  # they went to FCM
    with outbox.open(encoding="utf-8") as lines:
        for message in map(json.loads, lines):
            if message["executionId"] == execution and not message["test"]:
                first.setdefault(message["push"], message)
    return first


def _cells(push: Mapping[str, Any]) -> list[str]:
    numbers = [
        push["audienceSize"],
        push["testSent"],
        sum(push["excluded"].values()),
        push["sent"],
        push["failed"],
        push["unknown"],
        push["notReached"],
    ]
    return [str(push["order"]), push["audience"], *(f"{number:,}" for number in numbers)]
