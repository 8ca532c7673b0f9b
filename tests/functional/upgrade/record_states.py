"""Record what this release stores, for the releases after it: `python -m tests.functional.upgrade.record_states`.

Run it when a release is made (docs/how-to-release.md). The files go into `states/`, and `test_upgrade.py` runs them
under every later release. It needs the Firestore emulator.
"""

import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from functions.version import VERSION
from local.runtime.emulators import google_emulators
from tests.functional.upgrade.firestore_documents import client_of
from tests.functional.upgrade.recorded import STATES, record
from tests.functional.upgrade.scenario import Evening, play


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--name", default=VERSION, help="the name of the release")
    name = parser.parse_args().name
    STATES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tminus-") as folder, google_emulators(Path(folder) / "emulators"):
        client = client_of("demo-record-states")
        for store, documents in (("sqlite", None), ("firestore", client)):
            target = STATES / f"{name}-{store}.tar.xz"
            if target.exists():
                sys.exit(f"{target} is there: what a release has stored does not change; give another --name")
            lab = Evening(Path(folder) / store, documents)
            lab.open()
            play(lab)
            record(lab, target, documents)
            lab.close()
            print(f"{target}: {target.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
