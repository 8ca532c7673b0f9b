"""The addresses from which the users of an execution would load images."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from functions.domain.push.links import ImageAddress
from functions.domain.push.outcomes import Exclusion
from functions.domain.push.shard import PushFiles
from functions.ports import Ports
from functions.usecases.sending.rows import text_renderer
from functions.usecases.timeline.steps import Run

MOST_ADDRESSES = 200
_MOST_ROWS = 50_000
"""Rows of an audience that are read. It is sorted by md5 of the user, so the first rows are a fair sample of all."""


@dataclass(kw_only=True)
class ImageField:
    """A field of a push with the address of an image, such as `web.icon`.

    `devices` is the number of devices that load it. `rows` has the addresses found so far, each with the number of
    rows that were read and have it. `complete` says whether there are no others.
    """

    files: PushFiles
    path: str
    template: ImageAddress
    devices: int
    rows: Counter[str] = field(default_factory=Counter)
    complete: bool = True

    @property
    def varies(self) -> bool:
        """Whether the address has variables."""
        return bool(self.template.columns)

    @property
    def for_browsers(self) -> bool:
        """Whether only browsers load it."""
        return self.path.startswith("web.")


def image_fields(ports: Ports, run: Run, pushes: Sequence[PushFiles]) -> Sequence[ImageField]:
    """Return the fields with images of all pushes that have users, with at most 200 different addresses together.

    Addresses without variables come first. Then each push gets a fair share of the rest, and its rows are read until
    that many addresses are found.
    """
    fields = [one for files in pushes if files.live.size for one in _fields(run, files)]
    found: dict[str, None] = {}
    for one in fields:
        if not one.varies:
            one.complete = len(found) < MOST_ADDRESSES
            if one.complete:
                one.rows[one.template.source] = one.files.live.size
                found[one.template.source] = None
    varying = [list(group) for _, group in groupby((one for one in fields if one.varies), lambda one: one.files.push)]
    for place, group in enumerate(varying):
        share = (MOST_ADDRESSES - len(found)) // (len(varying) - place)
        _read(ports, group, found, most=len(found) + share)
    return fields


def _fields(run: Run, files: PushFiles) -> Iterator[ImageField]:
    push = run.recipe.pushes[files.push - 1]
    translated = {f"translations.{tag}.image": tag for tag, given in push.translations.items() if given.image}
    elsewhere = sum(files.languages.get(tag, 0) for tag in translated.values())
    for path, text in push.texts.items():
        if isinstance(text, ImageAddress):
            tag = translated.get(path)
            devices = files.devices - elsewhere if tag is None else files.languages.get(tag, 0)
            yield ImageField(files=files, path=path, template=text, devices=devices)


def _read(ports: Ports, fields: Sequence[ImageField], found: dict[str, None], *, most: int) -> None:
    """Add the addresses of a push's rows to its fields and to `found`, which gets at most `most`."""
    files = fields[0].files
    columns, links = files.live.rows.index.columns, ports.policy.links
    renderers = [(one, text_renderer(one.template, columns, links)) for one in fields]
    rows = csv.reader((line.decode() for line in ports.files.lines(files.live.rows.stored)), strict=True)
    whole = files.live.size <= _MOST_ROWS
    for row in islice(rows, 1, _MOST_ROWS + 1):
        rendered = [(one, to) for one, render in renderers if not isinstance(to := render(row), Exclusion)]
        if len(found) + len({address for _, address in rendered if address not in found}) > most:
            whole = False
            break
        for one, address in rendered:
            found[address] = None
            one.rows[address] += 1
    for one in fields:
        one.complete = whole
