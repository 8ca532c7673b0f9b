"""Complete the bill of materials that cyclonedx-py makes of requirements.txt.

It adds Tminus itself, as what the list is about, and the JavaScript that pip does not know: files in this repository,
and what a Python package brings along.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
VENDORED = Path(__file__).with_name("vendored.json")


def main(made: Path, complete: Path) -> None:
    """Read the one document, and write the other."""
    from functions.version import VERSION  # noqa: PLC0415 - needs the path above

    document = json.loads(made.read_text(encoding="utf-8"))
    root = {"type": "application", "bom-ref": "tminus", "name": "tminus", "version": VERSION}
    document["metadata"]["component"] = root
    document["components"] += [component(entry) for entry in json.loads(VENDORED.read_text(encoding="utf-8"))]
    complete.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"{len(document['components'])} components in {complete}")  # noqa: T201 - what the target did


def component(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a package of npm as a component: with the hashes of its files, or the Python package that has them."""
    described = {
        "type": "library",
        "bom-ref": f"vendored-{entry['name']}",
        "name": entry["name"],
        "version": entry["version"],
        "licenses": [{"license": {"id": entry["license"]}}],
        "purl": f"pkg:npm/{entry['name']}@{entry['version']}",
    }
    if "inside" in entry:
        return {**described, "properties": [{"name": "tminus:inside", "value": f"pkg:pypi/{entry['inside']}"}]}
    files = [
        {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": sha256(ROOT / name)}]}
        for name in entry["files"]
    ]
    return {**described, "components": files}


def sha256(path: Path) -> str:
    """Return the hash of a file in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
