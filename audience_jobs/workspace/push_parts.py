"""Reads what pushes may use, and carry: `[topics]`, `[links]`, `[images]`, `[android]` and `[defaults]`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audience_jobs.errors import BadWorkspace
from audience_jobs.workspace import push_defaults
from audience_jobs.workspace.toml_file import Keys, Problem, TomlFile, shown, suggestion

KEYS = ("topics", "links", "images", "android", push_defaults.KEY)
_LONGEST = 100
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_LINK = re.compile(rf"[a-z][a-z0-9+.-]*(://{_LABEL}(\.{_LABEL})*\.?(:{_PORT})?)?")


@dataclass(frozen=True, kw_only=True)
class PushParts:
    """What pushes of a workspace may use, and what they carry.

    `topics` are what recipes may name as theirs, each with its words for people; any topic, where there are none.
    `links` are the schemes and hosts of deep links, as in ALLOWED_LINKS; `images` the hosts of images, as in
    ALLOWED_IMAGES; `channels` the app's Android channels. `defaults` are the fields of a push, as JSON has them, for
    pushes that do not have them.
    """

    topics: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)


def read_push_parts(file: TomlFile) -> PushParts:
    """Return what tminus.toml says. Raises BadWorkspace with everything that is wrong in it."""
    parts, problems = _read(file)
    if problems:
        raise BadWorkspace(map(str, sorted(problems)))
    return parts


def problems_of(file: TomlFile) -> Sequence[Problem]:
    """Return everything that is wrong in these parts of tminus.toml."""
    return _read(file)[1]


def _read(file: TomlFile) -> tuple[PushParts, Sequence[Problem]]:
    reading = _Reading(file)
    parts = PushParts(
        topics=reading.topics(),
        links=reading.texts(("links", "allowed"), _is_link, '["https://example.com", "myapp"]'),
        images=reading.texts(("images", "allowed"), _is_image_host, '["https://img.example.com"]'),
        channels=reading.texts(("android", "channels"), _is_text, '["news"]'),
        defaults=push_defaults.read_defaults(file, reading.problems),
    )
    return parts, reading.problems


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable() and value == value.strip()


def _is_link(value: object) -> bool:
    return isinstance(value, str) and _LINK.fullmatch(value) is not None


def _is_image_host(value: object) -> bool:
    return isinstance(value, str) and (value == "https" or (_is_link(value) and value.startswith("https://")))


class _Reading:
    """Reads one part after the other, and notes in `problems` what is wrong."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def topics(self) -> Mapping[str, str]:
        """Return each topic with its words."""
        written = self._table("topics", 'news = "News of the week"')
        for topic, words in written.items():
            if not _is_text(topic):
                self._note(
                    ("topics", topic), f"is no topic: write up to {_LONGEST} characters, no blanks around them"
                )
            if not _is_text(words):
                self._note(("topics", topic), f'has no words for people: write some, as in {topic} = "News"')
        return {topic: str(words) for topic, words in written.items()}

    def texts(self, keys: Keys, good: Callable[[object], bool], example: str) -> tuple[str, ...]:
        """Return the list of distinct texts at these keys."""
        part, key = keys
        written = self._table(part, f"{key} = {example}")
        for other in written:
            if other != key:
                self._note((part, other), f"unknown key{suggestion(other, [key])}")
        value = written.get(key, [])
        if not isinstance(value, list) or not all(map(good, value)):
            wrong = value if not isinstance(value, list) else next(each for each in value if not good(each))
            self._note(keys, f"has {shown(wrong)}: write a list, as in {key} = {example}")
            return ()
        return tuple(dict.fromkeys(value))

    def _table(self, key: str, example: str) -> dict[str, Any]:
        value = self._file.content.get(key, {})
        if isinstance(value, dict):
            return value
        self._note((key,), f"is {shown(value)}: write below [{key}], as in {example}")
        return {}

    def _note(self, keys: Keys, reason: str) -> None:
        self.problems.append(self._file.problem(keys, reason))
