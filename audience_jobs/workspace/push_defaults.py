"""Reads `[defaults]` of tminus.toml: what each push carries unless it says otherwise.

The keys are those of a push in a recipe. Whether their values can be sent is checked where recipes are read.
"""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any

from audience_jobs.workspace.toml_file import Keys, Problem, TomlFile, shown, suggestion

KEY = "defaults"
TABLES: Mapping[str, tuple[str, ...]] = {
    "data": (),
    "android": ("channelId", "sound", "color", "icon", "count"),
    "ios": ("subtitle", "category", "sound", "badge", "threadId", "interruptionLevel", "relevanceScore"),
    "web": ("icon", "badge", "requireInteraction"),
}
"""The keys that hold keys of their own, and which; any keys where there are none."""
KEYS = ("image", "buttons", "priority", "ttlMinutes", "requireLocales", *TABLES)
BUTTON = ("id", "title", "deepLink")


def read_defaults(file: TomlFile, problems: list[Problem]) -> Mapping[str, Any]:
    """Return what tminus.toml says, as a push has it in JSON; adds what is wrong to `problems`."""
    written = file.content.get(KEY, {})
    if not isinstance(written, dict):
        problems.append(file.problem([KEY], f'is {shown(written)}: write below [{KEY}], as in priority = "normal"'))
        return {}
    found = list(_problems(file, written))
    problems += found
    return {} if found else written


def _problems(file: TomlFile, written: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _unknown(file, (KEY,), written, KEYS)
    for key, value in written.items():
        if key in TABLES and not isinstance(value, dict):
            yield file.problem([KEY, key], f"is {shown(value)}: write below [{KEY}.{key}]")
        elif TABLES.get(key):
            yield from _unknown(file, (KEY, key), value, TABLES[key])
        if key == "buttons":
            for button in value if isinstance(value, list) else ():
                yield from _unknown(file, (KEY, key), button if isinstance(button, dict) else {}, BUTTON)
        if key in KEYS and _holds_dates(value):
            yield file.problem([KEY, key], "has a date or time: write a text, in quotes")


def _unknown(file: TomlFile, keys: Keys, written: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    for key in written:
        if key not in known:
            yield file.problem([*keys, key], f"unknown key{suggestion(key, known)}")


def _holds_dates(value: object) -> bool:
    """Return whether a value is, or has in it, one that JSON lacks."""
    if isinstance(value, dict):
        return any(map(_holds_dates, value.values()))
    return any(map(_holds_dates, value)) if isinstance(value, list) else isinstance(value, (date, time))
