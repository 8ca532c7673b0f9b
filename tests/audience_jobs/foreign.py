"""Worlds of other teams, generated: a news app, a game and a shop, each with names and ids of its own."""

import csv
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from audience_jobs.sql import quoted

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
NOON = datetime(2026, 1, 3, 12, 0, 30, tzinfo=UTC)
"""When to ask what users did: between any two events."""
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "", "Mars/Base", "UTC")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
Rows = Sequence[Sequence[object]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: its columns with their types in PostgreSQL, and its rows; None is NULL."""

    columns: Mapping[str, str]
    rows: Rows


@dataclass(frozen=True, kw_only=True)
class World:
    """Tables, and what is true of them: the people, and those of them who have a device.

    `opted_out` are those who want no pushes about a topic, with "" for any. `events` are when users did something, by
    the names of models.
    """

    tables: Mapping[str, Table]
    people: frozenset[str]
    reachable: frozenset[str]
    user_ids: str
    private: Mapping[str, set[str]]
    opted_out: Mapping[str, frozenset[str]]
    events: Mapping[str, Sequence[tuple[str, datetime]]]

    def lately(self, model: str, days: int) -> frozenset[str]:
        """The people who did something in the days before NOON."""
        after = NOON - timedelta(days=days)
        return self.people & {user for user, at in self.events[model] if after < at <= NOON}


def token(chance: random.Random) -> str:
    """Return a text like a registration token of FCM."""
    return f"{''.join(chance.choices(_LETTERS, k=22))}:APA91b{''.join(chance.choices(_LETTERS, k=134))}"


def news(size: int, seed: int) -> World:
    """A news app: readers with numbers as ids who may switch pushes off, several installations each, and views."""
    chance = random.Random(seed)
    ids = chance.sample(range(1000, 1000 + size * 3), size)
    readers = [
        (
            i,
            f"Reader {i}",
            f"r{i}@mail.example",
            chance.choice(_ZONES) or None,
            chance.choice(["de-DE", "en-GB"]),
            START + timedelta(hours=n),
            chance.random() < 0.4,
            chance.choice([None, *range(18, 90)]),
            chance.choice([True, True, True, None, False]),
        )
        for n, i in enumerate(ids)
    ]
    installed = [i for i in ids if chance.random() < 0.8]
    installs = [
        (number, i, token(chance), chance.choice(["android", "ios"]), START + timedelta(minutes=number), "4.2.1")
        for number, i in enumerate((i for i in installed for _ in range(chance.choice([1, 1, 2]))), start=1)
    ]
    read = [(n, chance.choice(ids), chance.randrange(1, 50), START + timedelta(minutes=n)) for n in range(size * 5)]
    articles = [(n, f"Article {n}", chance.choice(["sport", "world"])) for n in range(1, 50)]
    return World(
        tables={
            "readers": Table(
                columns={
                    "reader_id": "bigint",
                    "fullName": "text",
                    "mail": "text",
                    "tz": "text",
                    "lang": "text",
                    "signed_up": "timestamptz",
                    "subscribed": "boolean",
                    "age": "integer",
                    "pushEnabled": "boolean",
                },
                rows=readers,
            ),
            "installations": Table(
                columns={
                    "id": "bigint",
                    "reader": "bigint",
                    "fcm": "text",
                    "os": "text",
                    "last_seen": "timestamptz",
                    "app_version": "text",
                },
                rows=installs,
            ),
            "page_views": Table(
                columns={"id": "bigint", "reader": "bigint", "article": "bigint", "at": "timestamptz"}, rows=read
            ),
            "articles": Table(columns={"id": "bigint", "headline": "text", "section": "text"}, rows=articles),
        },
        people=frozenset(map(str, ids)),
        reachable=frozenset(map(str, installed)),
        user_ids="any",
        private={"readers": {"mail"}, "installations": {"fcm"}},
        opted_out={"": frozenset(str(row[0]) for row in readers if row[-1] is False)},
        events={"page_views": [(str(reader), at) for _, reader, _, at in read]},
    )


def game(size: int, seed: int) -> World:
    """A game: players with UUIDs, tokens in the players' own rows, opt-outs by topic, names that SQL reserves."""
    chance = random.Random(seed)
    ids = [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(size)]
    tokens = [token(chance) if chance.random() < 0.7 else None for _ in ids]
    players = [
        (i, f"nick{n}", n % 60, float(n) / 7, held, chance.choice(["iOS", "Android"]), START + timedelta(minutes=n))
        for n, (i, held) in enumerate(zip(ids, tokens, strict=True))
    ]
    matches = [(n, chance.choice(ids), chance.choice(ids), chance.randrange(100)) for n in range(size * 2)]
    logins = [(chance.choice(ids), START + timedelta(minutes=5 * n), "ios") for n in range(size * 2)]
    left = [(i, chance.choice(["ALL", "tournaments", "gifts"]), START) for i in ids if chance.random() < 0.3]
    opted_out = {topic: frozenset(i for i, about, _ in left if about in (topic, "ALL")) for topic in ("", "gifts")}
    return World(
        tables={
            "Player": Table(
                columns={
                    "uuid": "uuid",
                    "nick": "text",
                    "level": "integer",
                    "order": "double precision",
                    "pushToken": "text",
                    "device_os": "text",
                    "updated": "timestamp",
                },
                rows=players,
            ),
            "Match": Table(
                columns={"id": "bigint", "home": "uuid", "away": "uuid", "select": "integer"}, rows=matches
            ),
            "Opens": Table(columns={"who": "uuid", "timestamp": "timestamp", "from": "text"}, rows=logins),
            "OptOuts": Table(columns={"playerUuid": "uuid", "topic": "text", "at": "timestamp"}, rows=left),
        },
        people=frozenset(ids),
        reachable=frozenset(i for i, held in zip(ids, tokens, strict=True) if held),
        user_ids="uuid",
        private={"Player": {"pushToken"}},
        opted_out=opted_out,
        events={"opens_events": [(player, at) for player, at, _ in logins]},
    )


def shop(size: int, seed: int) -> World:
    """A shop: customers with codes as ids, some deleted, two tables of devices, opt-outs by channel, and orders."""
    chance = random.Random(seed)
    codes = [f"C-{number:06d}" for number in chance.sample(range(10**6), size)]
    gone = {code for code in codes if chance.random() < 0.1}
    customers = [
        (
            code,
            chance.choice(["Ann", "Bo", "Çağla", "李"]),
            f"+4915{chance.randrange(10**8):08d}",
            START + timedelta(hours=n),
            START + timedelta(days=99) if code in gone else None,
            chance.choice("ABC"),
        )
        for n, code in enumerate(codes)
    ]
    own = [code for code in codes if chance.random() < 0.6]
    devices = [
        (code, token(chance), chance.choice(["ios", "android", "web"]), START + timedelta(minutes=n))
        for n, code in enumerate(own)
    ]
    orders = [
        (n, chance.choice(codes), round(chance.random() * 99, 2), START + timedelta(hours=n)) for n in range(size)
    ]
    channels = ["push", "email", None]
    left = [(code, chance.choice(channels), START, START if chance.random() < 0.3 else None) for code in codes[::5]]
    sessions = [(n, chance.choice(codes), f"{chance.getrandbits(160):040x}") for n in range(size)]
    return World(
        tables={
            "clients": Table(
                columns={
                    "code": "text",
                    "first_name": "text",
                    "mobile": "text",
                    "created": "timestamptz",
                    "deleted_at": "timestamptz",
                    "group": "text",
                },
                rows=customers,
            ),
            "devices": Table(
                columns={"client_code": "text", "token": "text", "platform": "text", "updated_at": "timestamptz"},
                rows=devices,
            ),
            "orders": Table(
                columns={"number": "bigint", "client_code": "text", "total": "numeric", "placed_at": "timestamptz"},
                rows=orders,
            ),
            "unsubscribes": Table(
                columns={
                    "client_code": "text",
                    "channel": "text",
                    "created_at": "timestamptz",
                    "resubscribed_at": "timestamptz",
                },
                rows=left,
            ),
            "sessions": Table(
                columns={"id": "bigint", "client_code": "text", "session_token": "text"}, rows=sessions
            ),
        },
        people=frozenset(codes) - gone,
        reachable=frozenset(own) - gone,
        user_ids="any",
        opted_out={"": frozenset(code for code, by, _, back in left if by != "email" and back is None)},
        events={"orders": [(code, at) for _, code, _, at in orders]},
        private={"clients": {"mobile"}, "devices": {"token"}, "sessions": {"session_token"}},
    )


WORLDS: Mapping[str, Callable[[int, int], World]] = {"news": news, "game": game, "shop": shop}


def write_csv(world: World, folder: Path) -> None:
    """Write a world as CSV files."""
    folder.mkdir(parents=True)
    for name, table in world.tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table.columns)
            writer.writerows(map(_as_csv, table.rows))


def _as_csv(row: Sequence[object]) -> Iterator[object]:
    for value in row:
        if isinstance(value, datetime):
            yield value.isoformat()
        else:
            yield str(value).lower() if isinstance(value, bool) else value


def fill_postgres(world: World, url: str, schema: str) -> None:
    """Put a world into a schema of its own."""
    with psycopg.connect(url) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}".encode())
        for name, table in world.tables.items():
            target = f"{schema}.{quoted(name)}"
            declared = ", ".join(f"{quoted(column)} {type_}" for column, type_ in table.columns.items())
            connection.execute(f"CREATE TABLE {target} ({declared})".encode())
            with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy:
                for row in table.rows:
                    copy.write_row(row)
