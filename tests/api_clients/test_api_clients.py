"""Clients that well-known generators make of the API's document: made without a warning, and they work."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.handlers.api.table import ROUTES
from functions.version import VERSION
from tests.api_clients.conftest import HERE, NODE_TOOLS, PYTHON_TOOLS, run

MakeClient = Callable[[Path, Path], list[str | Path]]


def python_client(document: Path, folder: Path) -> list[str | Path]:
    """Make a client with openapi-python-client, and return the command that uses it."""
    told = run(
        [PYTHON_TOOLS / "openapi-python-client", "generate", "--path", document, "--output-path", folder / "made"],
        folder,
    )
    assert "warning" not in told.lower(), told
    assert "unable to" not in told.lower(), told
    calls = {path.stem for path in (folder / "made" / "tminus_client" / "api").glob("*/*.py")} - {"__init__"}
    assert calls == {route.name for route in ROUTES}, "every call is there"
    script = folder / "made" / "scenario.py"  # a script finds the packages beside it
    shutil.copy(HERE / "scenario.py", script)
    return [PYTHON_TOOLS / "python", script]


def typescript_client(document: Path, folder: Path) -> list[str | Path]:
    """Make types with openapi-typescript, compile a program against them, and return the command that runs it."""
    for name in ("scenario.ts", "tsconfig.json", "package.json"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    told = run([NODE_TOOLS / "openapi-typescript", document, "--output", "api.d.ts"], folder)
    assert "warn" not in told.lower(), told
    made = (folder / "api.d.ts").read_text(encoding="utf-8")
    assert all(f"    {route.name}: {{" in made for route in ROUTES), "every call is there"
    run([NODE_TOOLS / "tsc", "--project", folder], folder)
    return ["node", folder / "out" / "scenario.js"]


def test_the_document_is_valid_for_the_reference_validator(document: Path, tmp_path: Path) -> None:
    assert run([PYTHON_TOOLS / "openapi-spec-validator", document], tmp_path).strip() == f"{document}: OK"


@pytest.mark.parametrize("make", [python_client, typescript_client], ids=["python", "typescript"])
def test_a_generated_client_creates_edits_runs_and_cancels_a_recipe(
    make: MakeClient, document: Path, url: str, tmp_path: Path
) -> None:
    command = make(document, tmp_path)
    recipe = f"from-{make.__name__}".replace("_", "-")
    seen = json.loads(run([*command, url, recipe], tmp_path))
    assert seen == {
        "created": ["draft", [1, "friday"], 5],
        "taken id": "not_possible",
        "edited": ["Edited", "active", [1, "friday"]],
        "changed meanwhile": "changed_meanwhile",
        "misspelled": ["invalid_fields", "settings.safegards", "misspelled_key"],
        "listed": ["by-hand", recipe],  # a broken recipe does not break the list
        "dry run": [True, 2, True],
        "executed": "launched",
        "cancelled": ["cancelled", recipe],
        "nothing to cancel": "not_found",
        "version": VERSION,
        "gone": "not_found",
    }
