"""What is deployed is pinned by hash, and JavaScript that no package manager knows is on the bill of materials."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VENDORED: list[dict[str, Any]] = json.loads((ROOT / "infra" / "sbom" / "vendored.json").read_text())
OWN = {
    f"functions/handlers/console/static/{name}.js"
    for name in (
        *("audience", "composer", "console", "lists", "people", "pushes", "review"),
        *("schedule", "send_once", "shortcuts"),
    )
}


def test_every_deployed_package_has_hashes() -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text().strip())
    assert len(entries) > 60
    assert [
        entry
        for entry in entries
        if not re.fullmatch(r"[a-z0-9-]+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+", entry)
    ] == []


def test_every_script_that_is_not_ours_is_listed() -> None:
    scripts = {str(path.relative_to(ROOT)) for path in (ROOT / "functions").rglob("*.js")}
    assert scripts - OWN == {name for entry in VENDORED for name in entry.get("files", [])}


def test_versions_are_those_of_the_files() -> None:
    versions = {entry["name"]: entry["version"] for entry in VENDORED}
    htmx = (ROOT / "functions" / "handlers" / "console" / "static" / "htmx.min.js").read_text()
    assert re.findall(r'version:"([0-9.]+)"', htmx) == [versions["htmx.org"]]
    swagger = files("flask_swagger_ui").joinpath("dist", "VERSION").read_text().strip()
    assert swagger == f"v{versions['swagger-ui-dist']}"
