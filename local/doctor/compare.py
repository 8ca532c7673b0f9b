"""Compare a resource with what Terraform has made of it, both as Google's API writes them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(s|m|[KMGT]i?)?")
_UNITS = {"": 1.0, "s": 1.0, "m": 0.001, **{f"{p}i": 1024.0**n for n, p in enumerate("KMGT", 1)}}
_UNITS |= {prefix: 1000.0**power for power, prefix in enumerate("KMGT", 1)}
_LONGEST = 80


def differences(expected: Any, found: Any, at: str = "") -> Iterator[str]:
    """Yield each difference as words, such as `rateLimits.maxDispatchesPerSecond is 5 instead of 10`.

    An object may have more fields than expected. A list of named objects, such as variables, may have more of them;
    any other list has to have the same elements in any order. `600s`, `1000m` and `512Mi` are compared as quantities.
    """
    if isinstance(expected, Mapping):
        fields = found if isinstance(found, Mapping) else {}
        for name, value in expected.items():
            yield from differences(value, fields.get(name), f"{at}.{name}" if at else name)
    elif isinstance(expected, list):
        yield from _lists(expected, found if isinstance(found, list) else [], at)
    elif not _same(expected, found):
        yield (
            f"{at} is missing, and should be {_shown(expected)}"
            if found is None
            else (f"{at} is {_shown(found)} instead of {_shown(expected)}")
        )


def _lists(expected: Sequence[Any], found: Sequence[Any], at: str) -> Iterator[str]:
    if expected and all(isinstance(each, Mapping) and "name" in each for each in expected):
        yield from _named(expected, found, at)
    elif len(expected) == len(found) == 1:
        yield from differences(expected[0], found[0], f"{at}[0]")
    else:
        left = list(found)
        for each in expected:
            match = next((other for other in left if not any(differences(each, other))), None)
            if match is None:
                yield f"{at} lacks {_shown(each)}"
            else:
                left.remove(match)
        yield from (f"{at} has {_shown(other)} in addition" for other in left)


def _named(expected: Sequence[Mapping[str, Any]], found: Sequence[Any], at: str) -> Iterator[str]:
    known = {each.get("name"): each for each in found}
    for each in expected:
        name = each["name"]
        if name not in known:
            yield f"{at} lacks {name}"
            continue
        fields = {field: value for field, value in each.items() if field != "name"}
        yield from differences(fields, known[name], f"{at}[{name}]")


def _same(expected: Any, found: Any) -> bool:
    if expected == found or (_unset(expected) and _unset(found)):
        return True
    if isinstance(expected, bool) or isinstance(found, bool):
        return str(expected).lower() == str(found).lower()
    one, other = _quantity(expected), _quantity(found)
    return one == other and one is not None


def _unset(value: Any) -> bool:
    """Return whether the APIs leave a value out of JSON. A missing number has a default of its own."""
    return value is None or value is False or value in ("", [], {})


def _quantity(value: Any) -> float | None:
    """Return a number, a duration in seconds, or an amount of memory or of cores; None for other values."""
    match = _QUANTITY.fullmatch(str(value))
    return round(float(match[1]) * _UNITS[match[2] or ""], 6) if match else None


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
