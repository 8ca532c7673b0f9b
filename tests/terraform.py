"""The Terraform of infra/ as data: its blocks, without what only `terraform plan` knows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import hcl2

ROOT = Path(__file__).parents[1]
INFRA = ROOT / "infra"
EXPRESSION = "${"
"""How the text of an expression begins."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource: its type and name, the file that has it, and its arguments. A block is a dict in a list."""

    type: str
    name: str
    file: str
    body: Mapping[str, Any]


@cache
def parsed(file: Path) -> Mapping[str, Any]:
    """Return a file's blocks: texts without quotes, expressions as texts that begin with EXPRESSION."""
    with file.open(encoding="utf-8") as text:
        found: dict[str, Any] = _plain(hcl2.load(text))
    return found


def local_values(file: Path) -> Mapping[str, Any]:
    """Return the values in the `locals` blocks of a file."""
    return {name: value for block in parsed(file).get("locals", []) for name, value in block.items()}


def rules() -> str:
    """Return the security rules of Firestore, as Terraform deploys them."""
    [ruleset] = (each.body for each in resources() if each.type == "google_firebaserules_ruleset")
    lines = ruleset["source"][0]["files"][0]["content"].splitlines()
    return dedent("\n".join(lines[1:-1])) + "\n"


def resources() -> Iterator[Resource]:
    """Yield all resources of infra/ and its modules."""
    for file in sorted(path for path in INFRA.rglob("*.tf") if not {".venv", ".terraform"} & set(path.parts)):
        for block in parsed(file).get("resource", []):
            for kind, named in block.items():
                for name, body in named.items():
                    yield Resource(type=kind, name=name, file=str(file.relative_to(ROOT)), body=body)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        names = [name for name in value if not (name.startswith("__") and name.endswith("__"))]
        return {_plain(name): _plain(value[name]) for name in names}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        text = value[1:-1].replace('\\"', '"')
        return f"{EXPRESSION}{text}" if EXPRESSION in text and not text.startswith(EXPRESSION) else text
    return value
