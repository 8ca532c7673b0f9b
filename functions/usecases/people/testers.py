"""Named test people: who they are, on which platforms they are, and changes of their list."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.domain.audit import Action
from functions.domain.errors import NotFound
from functions.domain.ids import canonical_user_id
from functions.domain.testers import NamedTester, new_tester, with_tester
from functions.ports import Ports
from functions.usecases.deeds import deed_now

PLATFORMS = {"ios": "iOS", "android": "Android", "web": "Web"}
"""The names of platforms as people write them."""
_MOST_DEVICES = 20


@dataclass(frozen=True, kw_only=True)
class TestPerson:
    """A colleague who can get test pushes by hand."""

    name: str
    user_id: str
    email: str
    """The address with which the person signs in to the console; empty if unknown."""


@dataclass(frozen=True, kw_only=True)
class TestPeople:
    """All named test people, in the order of their names."""

    people: Sequence[TestPerson]


def shown_testers(testers: Sequence[NamedTester]) -> TestPeople:
    """Return test people in the form that people read."""
    return TestPeople(people=[TestPerson(name=each.name, user_id=each.user_id, email=each.email) for each in testers])


def add_tester(ports: Ports, *, name: str, user_id: str, email: str = "", by: str) -> Sequence[NamedTester]:
    """Add a test person, or replace the one with this user id, and return all. BadFields, BadInput change nothing."""
    new = new_tester(name=name, user_id=user_id, email=email, form=ports.policy.user_id_format)
    return ports.testers.change(lambda testers: with_tester(testers, new), deed_now(ports, by, Action.SAVED))


def remove_tester(ports: Ports, user_id: str, *, by: str) -> Sequence[NamedTester]:
    """Remove the test person with a user id, and return the others. NotFound if there is none."""
    key = canonical_user_id(user_id.strip())

    def remove(testers: Sequence[NamedTester]) -> Sequence[NamedTester]:
        others = tuple(tester for tester in testers if tester.key != key)
        if len(others) == len(testers):
            raise NotFound("there is no test person with this user id")
        return others

    return ports.testers.change(remove, deed_now(ports, by, Action.DELETED))


def tester_of(ports: Ports, caller: str) -> NamedTester | None:
    """Return the test person who signs in under a caller's name; None if no test person does."""
    return next((each for each in ports.testers.all() if each.email.casefold() == caller.casefold()), None)


def platforms_of(ports: Ports, user_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the platforms of users' devices by canonical user id. It reads user data."""
    found: dict[str, list[str]] = {}
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = Path(folder) / "devices.csv"
        ports.engine.write_devices_of(list(user_ids), path, per_user=_MOST_DEVICES)
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file, strict=True):
                platform = PLATFORMS.get(row["platform"].lower(), row["platform"])
                on = found.setdefault(canonical_user_id(row["user_id"]), [])
                if row["token"] and platform not in on:
                    on.append(platform)
    return {user: sorted_platforms(on) for user, on in found.items()}


def sorted_platforms(platforms: Iterable[str]) -> list[str]:
    """Return platforms in the order in which people name them."""
    known = list(PLATFORMS.values())
    return sorted(platforms, key=lambda each: (known.index(each) if each in known else len(known), each))
