"""Today's user data on every simulated day: each audience is built once."""

import csv
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from audience_jobs.contract import Engine, Job

Write = Callable[[Path], int]
_ALL = 1_000_000
"""More devices than a user has."""


class TodaysUsers:
    """Wraps an Engine: runs a job once for its arguments, as at `today`, and keeps the files it writes.

    `topics` are those of all recipes: users may have opted out of them.
    Future user data are not known, so every simulated day uses today's.
    """

    def __init__(self, engine: Engine, today: datetime, folder: Path, topics: Collection[str]) -> None:
        self._engine, self._today, self._folder, self._topics = engine, today, folder, topics
        self._kept: dict[tuple[object, ...], tuple[Path, int]] = {}

    @contextmanager
    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> Iterator["TodaysRun"]:  # noqa: ARG002
        """Return the files of the job's run: of an earlier one, or of one now."""
        name = (job, tuple(sorted(arguments.items())))
        if (*name, "ran") not in self._kept:
            with self._engine.run(job, arguments, now=self._today) as run:
                for audience in job.audiences:
                    self._keep((*name, audience.name), partial(run.write_audience, audience.name))
                    for topic in self._topics:
                        write = partial(run.write_devices, audience.name, per_user=_ALL, topic=topic, locales=True)
                        self._keep((*name, audience.name, "devices", topic), write)
            self._kept[*name, "ran"] = (self._folder, 0)
        yield TodaysRun(self, name)

    def write_devices_of(
        self,
        user_ids: Sequence[str],
        path: Path,
        *,
        per_user: int,
        topic: str | None = None,
        locales: bool = False,  # noqa: ARG002
    ) -> int:
        """Write the devices of these users, always with their locales."""
        name = ("devices of", topic, *user_ids)
        if name not in self._kept:
            write = partial(self._engine.write_devices_of, user_ids, per_user=_ALL, topic=topic, locales=True)
            self._keep(name, write)
        return self.give_devices(name, path, per_user)

    def within(self, seconds: float) -> Engine:  # noqa: ARG002 - nothing here takes long
        """Return the same engine."""
        return self

    def rows(self, name: tuple[object, ...]) -> int:
        """Return the number of rows of a kept file."""
        return self._kept[name][1]

    def give(self, name: tuple[object, ...], path: Path) -> int:
        """Copy a kept file, and return its number of rows."""
        kept, rows = self._kept[name]
        shutil.copyfile(kept, path)
        return rows

    def give_devices(self, name: tuple[object, ...], path: Path, per_user: int) -> int:
        """Copy the first rows of each user from a kept file of devices, and return their number."""
        count = 0
        with (
            self._kept[name][0].open(newline="", encoding="utf-8") as kept,
            path.open("w", newline="", encoding="utf-8") as target,
        ):
            rows, writer = csv.reader(kept, strict=True), csv.writer(target, lineterminator="\n")
            writer.writerow(next(rows))
            for _, owned in groupby(rows, key=itemgetter(0)):
                for row in islice(owned, per_user):
                    writer.writerow(row)
                    count += 1
        return count

    def _keep(self, name: tuple[object, ...], write: Write) -> None:
        path = self._folder / f"{len(self._kept)}.csv"
        self._kept[name] = (path, write(path))


class TodaysRun:
    """A run whose files exist already."""

    def __init__(self, users: TodaysUsers, name: tuple[object, ...]) -> None:
        self._users, self._name = users, name

    def size(self, audience: str) -> int:
        """Return the audience's number of rows."""
        return self._users.rows((*self._name, audience))

    def write_audience(self, audience: str, path: Path) -> int:
        """Write the audience's CSV."""
        return self._users.give((*self._name, audience), path)

    def write_devices(
        self,
        audience: str,
        path: Path,
        *,
        per_user: int,
        topic: str | None = None,
        locales: bool = False,  # noqa: ARG002
    ) -> int:
        """Write the devices of the audience's users, always with their locales."""
        return self._users.give_devices((*self._name, audience, "devices", topic), path, per_user)
