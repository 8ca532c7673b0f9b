"""An export of Firestore, imported into another database, holds all documents, and sends nothing twice.

The emulator exports and imports as `gcloud firestore export` and `import` do, for one database at a time.
"""

import json
import os
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from functions.domain.execution.execution import State
from functions.domain.ids import execution_id
from functions.usecases.recipes.save import pause_recipe, resume_recipe
from functions.usecases.timeline.control import stop_all
from tests.functional.conftest import SEND_AT
from tests.functional.upgrade.firestore_documents import client_of, dump
from tests.functional.upgrade.scenario import MINUTE, Evening

pytestmark = pytest.mark.slow

TOMORROW = SEND_AT + timedelta(days=1)
NAME = "backup"


def _call(project: str, method: str, folder: Path) -> None:
    url = f"http://{os.environ['FIRESTORE_EMULATOR_HOST']}/emulator/v1/projects/{project}:{method}"
    body = {"database": f"projects/{project}/databases/(default)", "export_directory": str(folder)}
    named = {"export_name": NAME} if method == "export" else {}
    headers = {"Authorization": "Bearer owner", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body | named).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def export(project: str, folder: Path) -> None:
    """Export all documents of a project into a folder."""
    folder.mkdir()
    _call(project, "export", folder)


def import_into(project: str, folder: Path) -> None:
    """Create the documents of an export in an empty project."""
    _call(project, "import", folder / NAME / f"{NAME}.overall_export_metadata")


@pytest.fixture
def open_lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Evening]]:
    """Open the same laboratory, with its documents in a project."""
    request.getfixturevalue("emulators")
    labs: list[Evening] = []

    def opened(project: str) -> Evening:
        for lab in labs:
            lab.close()
        lab = Evening(tmp_path / "lab", client_of(project))
        lab.clock.advance_to(max([lab.clock.now(), *(earlier.clock.now() for earlier in labs)]))
        labs.append(lab)
        lab.open()
        return lab

    yield opened
    for lab in labs:
        lab.close()


@pytest.mark.long
@pytest.mark.parametrize("minutes", [-2, 0.5], ids=["in the window", "live"])
def test_a_restored_export_sends_nothing_twice_and_goes_on_with_the_next_send(
    minutes: float, open_lab: Callable[[str], Evening], tmp_path: Path
) -> None:
    project = f"demo-{tmp_path.name.replace('_', '-').lower()[-20:]}-{id(tmp_path)}"
    lab = open_lab(project)
    lab.save()
    lab.run_to(SEND_AT + minutes * MINUTE)
    exported = dump(project)
    export(project, tmp_path / "export")
    lab.run_to(SEND_AT + 3 * MINUTE)

    import_into(f"{project}-2", tmp_path / "export")
    restored = dump(f"{project}-2")
    by_path = [sorted(documents, key=lambda document: document["path"]) for documents in (exported, restored)]
    assert by_path[0] == by_path[1]

    lab = open_lab(f"{project}-2")  # from here on as docs/how-to-back-up.md says
    assert lab.system is not None
    with lab.system.database.transaction() as connection:
        connection.execute("DELETE FROM tasks")
    stop_all(lab.ports, "restored")
    pause_recipe(lab.ports, "welcome", by="ann@example.com")
    resume_recipe(lab.ports, "welcome", by="ann@example.com")
    lab.run_to(TOMORROW + timedelta(hours=1))
    sent = Counter((m["executionId"], m["push"], m["token"], m["test"]) for m in lab.outbox())
    assert max(sent.values()) == 1
    assert (lab.execution().state, lab.execution().cleaned) == (State.STOPPED, True)
    assert lab.execution(execution_id("welcome", TOMORROW)).state is State.COMPLETED
