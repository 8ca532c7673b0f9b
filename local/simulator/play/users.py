"""A few users, and an audience job over them whose result changes with each run, as with a live database."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audience_jobs.contract import DEVICES_FILE, Audience, Column, Job
from audience_jobs.query_based import AUDIENCE
from functions.domain.ids import canonical_user_id, user_digest
from local.simulator.play.chance import Chance
from local.simulator.play.faults import JOB, Rates
from local.simulator.play.registrations import Registrations

AUDIENCES = ("a", "b")
COLUMNS = ("user_id", "name", "goal")
_SAME_EACH_RUN = 0.9
_NONSENSE = ("unsorted", "not_utf8", "empty", "no_user_id", "invalid_ids", "twice", "blank")


def make_job() -> Job:
    """Return the job of the simulated users."""
    columns = tuple(Column(name=name, type="text", meaning=name) for name in COLUMNS)
    return Job(
        id="everybody",
        title="All users, more or less",
        layer=3,
        parameters=(),
        audiences=tuple(Audience(name=name, columns=columns, meaning=name) for name in AUDIENCES),
        sql="SELECT 1",
    )


@dataclass(frozen=True, kw_only=True)
class User:
    """A user: the audiences they are in, and the tokens they registered, newest first.

    `opted_out` are the topics the user wants no pushes of; an empty topic means all pushes. `locale` is empty if
    unknown.
    """

    id: str
    audiences: tuple[str, ...]
    tokens: tuple[str, ...]
    opted_out: tuple[str, ...] = ()
    locale: str = ""


def owners_of(users: Sequence[User]) -> Mapping[str, str]:
    """Return the owner of each token: the user who registered it last, which is the last of them in `users`."""
    return {token: canonical_user_id(user.id) for user in users for token in user.tokens}


def opt_outs_of(users: Sequence[User]) -> Mapping[str, Sequence[str]]:
    """Return the topics that users have opted out of, by their ids."""
    return {canonical_user_id(user.id): user.opted_out for user in users if user.opted_out}


def locales_of(users: Sequence[User]) -> Mapping[str, str]:
    """Return the locales of users by their ids."""
    return {canonical_user_id(user.id): user.locale for user in users}


class Users:
    """Implements Engine; runs are numbered, and the values of a user's row identify the run."""

    def __init__(
        self,
        users: Sequence[User],
        chance: Chance,
        rates: Rates,
        caller: Callable[[], str],
        registrations: Registrations,
    ) -> None:
        self._users = sorted(users, key=lambda user: user_digest(user.id))
        self._tokens = {canonical_user_id(user.id): user.tokens for user in users}
        self._owners, self._opt_outs, self._locales = owners_of(users), opt_outs_of(users), locales_of(users)
        self._chance, self._rates, self._caller, self._registrations = chance, rates, caller, registrations
        self._runs = 0

    @contextmanager
    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> Iterator["UsersRun"]:  # noqa: ARG002
        """Run the job once. A job of conditions finds the users who have one of the locales that it binds."""
        self._runs += 1
        nonsense = self._chance.fault(
            f"{self._caller()}/nonsense", self._rates.among({"job_nonsense": JOB["job_nonsense"]})
        )
        how = self._chance.pick(f"{self._caller()}/nonsense:how", _NONSENSE) if nonsense else ""
        yield UsersRun(self, _fitting(job, self._present()), self._runs, how, job.audiences[0].columns)

    def _present(self) -> list[User]:
        present = (self._chance.number(f"{self._runs}/{user.id}") < _SAME_EACH_RUN for user in self._users)
        return [user for user, is_in in zip(self._users, present, strict=True) if is_in]

    def write_devices_of(
        self,
        user_ids: Sequence[str],
        path: Path,
        *,
        per_user: int,
        topic: str | None = None,
        locales: bool = False,
    ) -> int:
        """Write the tokens of these users, or that they opted out."""
        rows: list[tuple[str, ...]] = []
        for user_id in sorted(dict.fromkeys(user_ids), key=user_digest):
            user = canonical_user_id(user_id)
            if topic is not None and {"", topic} & set(self._opt_outs.get(user, ())):
                rows.append((user_id, "", "opted_out", "", "", ""))
            else:
                locale = self._locales[user] if locales else ""
                rows += [self._device(user_id, token, locale) for token in self.tokens_of(user)[:per_user]]
        _write(path, DEVICES_FILE, rows)
        return len(rows)

    def _device(self, user_id: str, token: str, locale: str) -> tuple[str, ...]:
        return user_id, token, "ios", str(int(self._registrations.at(token).timestamp())), "", locale

    def within(self, seconds: float) -> "Users":  # noqa: ARG002 - nothing here takes long
        """Return the same engine."""
        return self

    def tokens_of(self, user_id: str) -> Sequence[str]:
        """Return the tokens that a user registered and still owns."""
        return [token for token in self._tokens.get(user_id, ()) if self._owners[token] == user_id]


class UsersRun:
    """The result of one run."""

    def __init__(
        self, users: Users, present: Sequence[User], number: int, nonsense: str, columns: Sequence[Column]
    ) -> None:
        self._users, self._present, self._number, self._nonsense = users, present, number, nonsense
        self._columns = tuple(column.name for column in columns)

    def size(self, audience: str) -> int:
        """Return the audience's number of rows, before a fault turns them into nonsense."""
        return len(self._in(audience))

    def _in(self, audience: str) -> list[tuple[int, User]]:
        """Return the users of an audience, each with its place among those present."""
        everyone = audience == AUDIENCE
        return [
            (place, user)
            for place, user in enumerate(self._present)
            if audience in user.audiences or (everyone and user.audiences)
        ]

    def write_audience(self, audience: str, path: Path) -> int:
        """Write the audience's CSV, or nonsense instead."""
        rows = [
            (user.id, f"Name {number}", f"goal of run {self._number}", user.locale)[: len(self._columns)]
            for number, user in self._in(audience)
        ]
        header = self._columns
        if self._nonsense == "unsorted":
            rows.reverse()
        elif self._nonsense == "empty":
            rows = []
        elif self._nonsense == "no_user_id":
            header = ("id", *header[1:])
        elif self._nonsense == "invalid_ids":
            names = (f"={number}" for number in range(len(rows)))
            rows = sorted(((name, *row[1:]) for name, row in zip(names, rows, strict=True)), key=_order)
        elif self._nonsense == "twice":
            rows = [row for row in rows for _ in range(2)]
        elif self._nonsense == "blank":
            rows = [(row[0], *("" for _ in row[1:])) for row in rows]
        _write(path, header, rows)
        if self._nonsense == "not_utf8":
            path.write_bytes(path.read_bytes() + b"\xff\xfe\n")
        return len(rows)

    def write_devices(
        self, audience: str, path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the tokens of the audience's users."""
        mine = [user.id for _, user in self._in(audience)]
        return self._users.write_devices_of(mine, path, per_user=per_user, topic=topic, locales=locales)


def _fitting(job: Job, users: list[User]) -> list[User]:
    locales = [parameter.default for parameter in job.parameters]
    return [user for user in users if user.locale in locales] if locales else users


def _order(row: Sequence[str]) -> bytes:
    return user_digest(row[0])


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
