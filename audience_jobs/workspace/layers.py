"""Reads the layers and the cadence rules of a workspace: `[layers]` and `[cadence.NAME]` of tminus.toml."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audience_jobs.errors import BadWorkspace
from audience_jobs.workspace.toml_file import Keys, Problem, TomlFile, shown, suggestion

KEYS = ("layers", "cadence")
MOST_LAYERS, MOST_RULES = 9, 31
"""A rule takes one of 31 bytes in the rows of an execution."""
MOST_HOURS, MOST_COUNT = 720, 100
"""The limits of the API, which changes rules later."""
UNNAMED = {number: f"Layer {number}" for number in range(1, 6)}
"""The layers of a workspace that names none."""
_NUMBER = re.compile(r"[1-9]")
_RULE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_REASON = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LONGEST_NAME = 60
_LAYER_KEYS, _RULE_KEYS = ("name", "exempt"), ("layers", "hours", "count", "active", "reason")
TAKEN_REASONS = frozenset(
    """invalid_user_id duplicate_user_id opted_out no_token dead_token missing_variable payload_too_large bad_link
    wrong_project third_party_auth no_answer interrupted under_way other all""".split()
)
"""Words of reports that mean something else than a rule."""


@dataclass(frozen=True, kw_only=True)
class DeclaredRule:
    """At most `count` pushes of `layers` to one user within `hours` hours; reports call it `reason`."""

    name: str
    layers: frozenset[int]
    hours: int
    count: int
    active: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """The layers by number with their names, those that no rule holds back or counts, and the rules."""

    names: Mapping[int, str]
    exempt: frozenset[int]
    rules: tuple[DeclaredRule, ...]


def read_cadence(file: TomlFile) -> Cadence:
    """Return the layers and rules of tminus.toml. Raises BadWorkspace with everything that is wrong in them."""
    cadence, problems = _read(file)
    if problems:
        raise BadWorkspace(map(str, sorted(problems)))
    return cadence


def problems_of(file: TomlFile) -> Sequence[Problem]:
    """Return everything that is wrong in the layers and rules of tminus.toml."""
    return _read(file)[1]


def layers_of(file: TomlFile) -> Mapping[int, str]:
    """Return the layers of tminus.toml as far as they can be read."""
    return _read(file)[0].names


def _read(file: TomlFile) -> tuple[Cadence, Sequence[Problem]]:
    reading = _Reading(file)
    names = reading.layers(file.content.get("layers"))
    rules = reading.rules(file.content.get("cadence", {}), names)
    return Cadence(names=names, exempt=frozenset(reading.exempt), rules=rules), reading.problems


class _Reading:
    """Reads layers, then rules, and notes in `problems` what is wrong."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self.problems: list[Problem] = []
        self.exempt: set[int] = set()

    def layers(self, value: object) -> Mapping[int, str]:
        """Return the names of the layers by number, in order of their numbers."""
        if value is None:
            return UNNAMED
        if not isinstance(value, dict) or not value:
            said = "names no layer" if value == {} else f"is {shown(value)}"
            self._note(("layers",), f'{said}: write each layer below [layers], as in 1 = "Newsletter"')
            return UNNAMED
        found = {number: self._layer(number, written) for number, written in sorted(value.items())}
        return {int(number): name for number, name in found.items() if _NUMBER.fullmatch(number)}

    def _layer(self, number: str, value: object) -> str:
        keys = ("layers", number)
        if not _NUMBER.fullmatch(number):
            self._note(keys, f"is not the number of a layer: there are up to {MOST_LAYERS}, 1 to {MOST_LAYERS}")
        written: dict[str, Any] = value if isinstance(value, dict) else {"name": value}
        self._check_keys(keys, written, _LAYER_KEYS)
        exempt = written.get("exempt", False)
        if not isinstance(exempt, bool):
            self._note((*keys, "exempt"), f"is {shown(exempt)}: write true or false")
        elif exempt and _NUMBER.fullmatch(number):
            self.exempt.add(int(number))
        name = written.get("name")
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
            self._note(keys, f'has no name: write up to {_LONGEST_NAME} characters, as in {number} = "Newsletter"')
            return ""
        return name

    def rules(self, value: object, names: Mapping[int, str]) -> tuple[DeclaredRule, ...]:
        """Return the rules in their order."""
        if not isinstance(value, dict):
            self._note(("cadence",), f"is {shown(value)}: write each rule below a header, as in [cadence.weekly]")
            return ()
        if len(value) > MOST_RULES:
            extra = list(value)[MOST_RULES]
            self._note(("cadence", extra), f"is one rule too many: a workspace has at most {MOST_RULES}")
        rules = [self._rule(name, written, names) for name, written in value.items()]
        self._check_twins(rules)
        return tuple(rules)

    def _rule(self, name: str, value: object, names: Mapping[int, str]) -> DeclaredRule:
        keys = ("cadence", name)
        if not _RULE_NAME.fullmatch(name):
            self._note(keys, "is not a name: a rule's name has up to 40 letters, digits, _ and -, a letter first")
        written: dict[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self._note(keys, f"is {shown(value)}: write its layers and hours below [cadence.{name}]")
        self._check_keys(keys, written, _RULE_KEYS)
        active = written.get("active", True)
        if not isinstance(active, bool):
            self._note((*keys, "active"), f"is {shown(active)}: write true or false")
        missing = not isinstance(value, dict)
        return DeclaredRule(
            name=name,
            layers=frozenset() if missing else self._rule_layers(keys, written.get("layers"), names),
            hours=0 if missing else self._number((*keys, "hours"), written.get("hours"), MOST_HOURS),
            count=self._number((*keys, "count"), written.get("count", 1), MOST_COUNT),
            active=active is True,
            reason=self._reason((*keys, "reason"), written.get("reason"), name),
        )

    def _rule_layers(self, keys: Keys, value: object, names: Mapping[int, str]) -> frozenset[int]:
        keys = (*keys, "layers")
        if not isinstance(value, list) or not value:
            said = "is missing" if value is None else "names no layer" if value == [] else f"is {shown(value)}"
            self._note(keys, f"{said}: write the layers that the rule counts and holds back, as in [1, 2]")
            return frozenset()
        for layer in value:
            if type(layer) is not int or layer not in names:
                known = ", ".join(map(str, names))
                given = layer if type(layer) is int else shown(layer)
                self._note(keys, f"there is no layer {given}; known: {known}")
            elif layer in self.exempt:
                self._note(keys, f"layer {layer} is exempt: leave it out, or drop exempt from the layer")
        return frozenset(layer for layer in value if type(layer) is int)

    def _number(self, keys: Keys, value: object, most: int) -> int:
        if type(value) is int and 1 <= value <= most:
            return value
        given = "is missing" if value is None else f"is {value if type(value) is int else shown(value)}"
        self._note(keys, f"{given}: write a whole number from 1 to {most}")
        return 1

    def _reason(self, keys: Keys, value: object, name: str) -> str:
        if value is None:
            return f"cadence:{name}"
        if not isinstance(value, str) or not _REASON.fullmatch(value):
            self._note(keys, f"is {shown(value)}: write up to 60 small letters, digits and _, a letter first")
        elif value in TAKEN_REASONS:
            self._note(keys, f'"{value}" means something else in reports: choose another word')
        return str(value)

    def _check_twins(self, rules: Sequence[DeclaredRule]) -> None:
        names: dict[str, str] = {}
        reasons: dict[str, str] = {}
        for rule in rules:
            if (other := names.setdefault(rule.name.lower(), rule.name)) != rule.name:
                self._note(("cadence", rule.name), f'differs from "{other}" in capitals only: rename one')
            if (other := reasons.setdefault(rule.reason, rule.name)) != rule.name:
                self._note(("cadence", rule.name, "reason"), f'is also the reason of "{other}": choose another word')

    def _check_keys(self, keys: Keys, value: Mapping[str, object], known: Sequence[str]) -> None:
        for key in value:
            if key not in known:
                self._note((*keys, key), f"unknown key{suggestion(key, known)}")

    def _note(self, keys: Keys, reason: str) -> None:
        self.problems.append(self._file.problem(keys, reason))
