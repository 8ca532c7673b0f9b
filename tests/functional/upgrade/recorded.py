"""A recorded evening: one file with the state that a release left, its user data, and what that release made of it.

The state is a backup, as `tminus backup` writes it. Documents in Firestore are lines of JSON beside it; the backup
then holds the rest: tasks, schedules, files and the outbox.
"""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from google.cloud import firestore

from local.runtime.backup import back_up, unpack
from tests.functional.upgrade import firestore_documents
from tests.functional.upgrade.scenario import AT, Evening

STATES = Path(__file__).parent / "states"


def record(lab: Evening, target: Path, client: firestore.Client | None) -> None:
    """Record the state of a laboratory, and what this release makes of it afterwards.

    A process that dies at the cut leaves the same state, because each step is stored when it has happened.
    """
    backup = target.with_suffix(".backup")
    back_up(lab.state, backup, lab.clock.now())
    parts = {"state.tar": gzip.decompress(backup.read_bytes())}
    backup.unlink()
    parts |= {f"data/{path.name}": path.read_bytes() for path in sorted(lab.data.iterdir())}
    if client is not None:
        lines = [json.dumps(document, ensure_ascii=False) for document in firestore_documents.dump(client.project)]
        parts["documents.jsonl"] = "\n".join(lines).encode()
    parts["outcome.json"] = json.dumps(go_on(lab), indent=1).encode()
    with tarfile.open(target, "w:xz", preset=9) as tar:
        for name, content in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def go_on(lab: Evening) -> dict[str, Any]:
    """Let the evening go on to its end, as a process that takes over does, and return what became of it."""
    lab.recover()
    lab.run_to_the_end()
    return lab.outcome()


def take_over(file: Path, folder: Path, client: firestore.Client | None) -> tuple[Evening, dict[str, Any]]:
    """Open a recorded evening at its cut; return it with what its release made of it."""
    lab = Evening(folder, client)  # before its user data, as a laboratory begins with its own
    with tarfile.open(file) as tar:
        for entry in tar:
            part, path = tar.extractfile(entry), folder / entry.name
            assert part is not None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(part.read())
    backup = folder / "state.tar.gz"
    backup.write_bytes(gzip.compress((folder / "state.tar").read_bytes(), 1))
    (folder / "state").mkdir()
    unpack(backup, folder / "state")
    if client is not None:
        lines = (folder / "documents.jsonl").read_text(encoding="utf-8").splitlines()
        firestore_documents.load(client.project, map(json.loads, lines))
    lab.clock.advance_to(AT)
    return lab, json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
