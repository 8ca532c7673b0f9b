"""The rows of a shard: read by range, joined with devices, rendered, and excluded if necessary."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from functions.domain.audience.dead_tokens import DeadTokens
from functions.domain.audience.partition import read_rows
from functions.domain.ids import USER_KEY_BYTES, is_user_id, user_digest, user_key
from functions.domain.push.links import Link, LinkPolicy
from functions.domain.push.outcomes import IN_DOUBT, Exclusion, Message, has_opted_out
from functions.domain.push.payload import Payload
from functions.domain.push.shard import AudienceFile, IndexedFile, Shard
from functions.domain.push.template import Template
from functions.domain.recipe.push_fields import RecipePush
from functions.ports import Ports


class Device(NamedTuple):
    """Where to send a message: a registration token, or a Firebase installation ID. A dead one is an empty text."""

    token: str
    is_fid: bool = False
    locale: str = ""
    """That of its user; empty if unknown."""


Render = Callable[[Sequence[str], Sequence[Device]], Sequence[Message] | Exclusion]
_NO_PUSHES: Sequence[Device] = (Device(""),)


class Candidate(NamedTuple):
    """A row to send to: its position in the shard, its user's key, and its messages or the reason for none."""

    position: int
    key: bytes
    messages: Sequence[Message]
    excluded: Exclusion | None = None


def candidates(
    ports: Ports, push: RecipePush, audience: AudienceFile, shard: Shard, waiting: Collection[int]
) -> Iterator[Candidate]:
    """Yield the rows of a shard with an outcome in `waiting`. Cadence rules are applied later.

    The first row of a user counts; the others are duplicates. A user's messages go to the newest living devices.
    """
    devices = _devices(ports, audience.devices, shard.partitions)
    form, per_user = ports.policy.user_id_format, ports.policy.devices_per_user
    render = renderer(push, audience.rows.index.columns, ports.policy.links)
    previous = b""
    for position, row in enumerate(_read(ports, audience.rows, shard.partitions)):
        user_id, digest = row[0], user_digest(row[0])
        repeated, previous = digest == previous, digest
        if shard.outcomes[position] not in waiting:
            continue
        key = digest[:USER_KEY_BYTES]
        owned = devices.get(user_id, ())
        if shard.outcomes[position] in IN_DOUBT:
            owned = owned[:per_user]  # a message may have arrived there, so no other device gets it
        if not is_user_id(user_id, form):
            yield Candidate(position, key, (), Exclusion.INVALID_USER_ID)
        elif repeated:
            yield Candidate(position, key, (), Exclusion.DUPLICATE_USER_ID)
        elif owned is _NO_PUSHES:
            yield Candidate(position, key, (), Exclusion.OPTED_OUT)
        elif not owned:
            yield Candidate(position, key, (), Exclusion.NO_TOKEN)
        elif not (alive := [device for device in owned if device.token]):
            yield Candidate(position, key, (), Exclusion.DEAD_TOKEN)
        else:
            rendered = render(row, alive[:per_user])
            if isinstance(rendered, Exclusion):
                yield Candidate(position, key, (), rendered)
            else:
                yield Candidate(position, key, rendered)


def row_keys(ports: Ports, audience: AudienceFile, shard: Shard) -> list[bytes]:
    """Return the cadence ledger's key of each row of a shard."""
    return [user_key(row[0]) for row in _read(ports, audience.rows, shard.partitions)]


def renderer(push: RecipePush, columns: Sequence[str], links: LinkPolicy) -> Render:
    """Return a function that makes the messages of a row, one for each device, in the language of its user."""
    if not push.translations:
        return _renderer_in("", push, columns, links)
    in_language = cache(lambda tag: _renderer_in(tag, push.in_language(tag), columns, links))
    in_locale = cache(lambda locale: in_language(push.translation_for(locale)))
    return lambda row, devices: in_locale(devices[0].locale if devices else "")(row, devices)


def _renderer_in(tag: str, push: RecipePush, columns: Sequence[str], links: LinkPolicy) -> Render:
    render_title, render_body = push.title.renderer(columns), push.body.renderer(columns)
    render_link = push.deep_link.renderer(columns) if push.deep_link else None
    fits = Payload(push).fits
    may_open = links.judge(push.deep_link) if push.deep_link else None
    render_more = [text_renderer(text, columns, links) for text in push.more_texts.values()]

    def render(row: Sequence[str], devices: Sequence[Device]) -> Sequence[Message] | Exclusion:
        title, body = render_title(row), render_body(row)
        link = render_link(row) if render_link else None
        if title is None or body is None or (link is None and render_link):
            return Exclusion.MISSING_VARIABLE
        if link is not None and may_open is not None and not may_open(link):
            return Exclusion.BAD_LINK
        others: list[str] = []
        for render_other in render_more:
            text = render_other(row)
            if isinstance(text, Exclusion):
                return text
            others.append(text)
        if not fits(title, body, link, others):
            return Exclusion.PAYLOAD_TOO_LARGE
        more = tuple(others)
        return [Message(row[0], token, title, body, link, more, is_fid, tag) for token, is_fid, _ in devices]

    return render


def text_renderer(
    template: Template, columns: Sequence[str], links: LinkPolicy
) -> Callable[[Sequence[str]], str | Exclusion]:
    """Return a function that renders a text of a row, or says why the row gets no message."""
    render = template.renderer(columns)
    may_open = links.judge(template) if isinstance(template, Link) else None

    def rendered(row: Sequence[str]) -> str | Exclusion:
        text = render(row)
        if text is None:
            return Exclusion.MISSING_VARIABLE
        return text if may_open is None or may_open(text) else Exclusion.BAD_LINK

    return rendered


def _devices(ports: Ports, file: IndexedFile, partitions: range) -> Mapping[str, Sequence[Device]]:
    """Return the devices of each user who has any, newest first.

    `_NO_PUSHES` stands for those of a user who opted out. A file of an earlier release has three columns: it knows no
    instants of registration, and no Firebase installation IDs.
    """
    dead = DeadTokens(ports.devices.graves(partitions).values(), ports.clock.now())
    devices: dict[str, list[Device]] = defaultdict(list)
    opted_out: dict[str, Sequence[Device]] = {}
    for row in _read(ports, file, partitions):
        user_id, token, _, registered, fid, locale = row if len(row) > 3 else (*row, "", "", "")
        if has_opted_out(row):
            opted_out[user_id] = _NO_PUSHES
        else:
            devices[user_id].append(Device("" if dead.has(token, registered) else token, bool(fid), locale))
    return {**devices, **opted_out}


def _read(ports: Ports, file: IndexedFile, partitions: range) -> Iterator[list[str]]:
    start, end = file.index.byte_range(partitions)
    return read_rows(ports.files.read(file.stored, start, end))
