"""Ports for trial runs of the timeline's steps: their writes are discarded after the trial."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from functions.domain.audit import Deed
from functions.domain.cadence.rules import CadenceRule, in_force
from functions.domain.push.shard import Stored
from functions.ports import Ports
from functions.ports.stores import CadenceLedger

T = TypeVar("T")


def shadow(ports: Ports, folder: Path) -> Ports:
    """Return ports with files in a folder and with a ledger that reads the real one but never writes to it."""
    return replace(ports, files=_ScratchFiles(folder), ledger=_ShadowLedger(ports.ledger))


class _ScratchFiles:
    """Implements AudienceFiles for one trial: stored files are moved into its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name. If the name is taken, the existing file wins."""
        if name not in self._paths:
            self._paths[name] = self._folder / str(len(self._paths))
            shutil.move(source, self._paths[name])
        return Stored(name=name, generation=1, checksum="", size_bytes=self._paths[name].stat().st_size)

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines with their line ends."""
        with self._paths[stored.name].open("rb") as file:
            yield from file

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range."""
        with self._paths[stored.name].open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def delete(self, folder: str) -> None:
        """Do nothing: the trial's folder is deleted as a whole."""

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of the trial's files in a folder."""
        return sorted(name for name in self._paths if name.startswith(f"{folder}/"))

    def find(self, name: str) -> Stored | None:
        """Return a file of the trial; None if there is none."""
        return self.write_once(name, self._paths[name]) if name in self._paths else None

    def remove(self, name: str) -> None:
        """Forget a file of the trial."""
        self._paths.pop(name, None)

    def expire(self, execution_id: str) -> None:
        """Do nothing: a trial deletes no execution."""


class _ShadowLedger:
    """Implements CadenceLedger for one trial: the pushes of a sequence count against each other, as in a live run."""

    def __init__(self, real: CadenceLedger) -> None:
        self._real = real
        self._written: dict[tuple[int, date], bytes] = {}

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days of the real ledger with the trial's changes, and keep the result of `change` in memory."""
        stored = self._real.transact(partition, days, lambda packed: ({}, dict(packed)))
        ours = {day: packed for (where, day), packed in self._written.items() if where == partition and day in days}
        writes, result = change({**stored, **ours})
        self._written.update({(partition, day): packed for day, packed in writes.items()})
        return result

    def rules(self) -> Sequence[CadenceRule]:
        """Return the saved rules."""
        return self._real.rules()

    def change_rules(
        self,
        declared: Sequence[CadenceRule],
        change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]],
        deed: Deed,  # noqa: ARG002
    ) -> Sequence[CadenceRule]:
        """Return the result of `change`, but do not change the rules."""
        return change(in_force(declared, self.rules()))
