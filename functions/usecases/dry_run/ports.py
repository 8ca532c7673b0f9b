"""Ports on which the steps of the timeline can be tried: what they write is gone when the trial is over."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from functions.domain.audit import Deed
from functions.domain.cadence.rules import CadenceRule
from functions.domain.push.shard import Stored
from functions.ports import Ports
from functions.ports.stores import CadenceLedger

T = TypeVar("T")


def shadow(ports: Ports, folder: Path) -> Ports:
    """Return ports whose files lie in a folder, and whose ledger reads the real one and writes beside it."""
    return replace(ports, files=_ScratchFiles(folder), ledger=_ShadowLedger(ports.ledger))


class _ScratchFiles:
    """Plays AudienceFiles for one trial: the files that are stored are moved into its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name; where the name is taken, the file that is there wins."""
        if name not in self._paths:
            self._paths[name] = self._folder / str(len(self._paths))
            shutil.move(source, self._paths[name])
        return Stored(name=name, generation=1, checksum="", size_bytes=self._paths[name].stat().st_size)

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines with their ends."""
        with self._paths[stored.name].open("rb") as file:
            yield from file

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range."""
        with self._paths[stored.name].open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def delete(self, folder: str) -> None:
        """Delete nothing: the trial's folder goes as a whole."""


class _ShadowLedger:
    """Plays CadenceLedger for one trial: pushes of one sequence count against each other, as they would live."""

    def __init__(self, real: CadenceLedger) -> None:
        self._real = real
        self._written: dict[tuple[int, date], bytes] = {}

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days of the real ledger, with what the trial has written over them; keep what `change` makes."""
        stored = self._real.transact(partition, days, lambda packed: ({}, dict(packed)))
        ours = {day: packed for (where, day), packed in self._written.items() if where == partition and day in days}
        writes, result = change({**stored, **ours})
        self._written.update({(partition, day): packed for day, packed in writes.items()})
        return result

    def rules(self) -> Sequence[CadenceRule]:
        """Return the rules in force."""
        return self._real.rules()

    def change_rules(
        self,
        change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]],
        deed: Deed,  # noqa: ARG002
    ) -> Sequence[CadenceRule]:
        """Return what `change` makes of the rules in force, and leave these."""
        return change(self.rules())
