"""Projects of a test's own on Google Cloud's emulators."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from functions.settings import CloudSettings
from local.embedded.clock import WaitableClock
from local.standins.cloud_tasks import CloudEmulator
from local.standins.cloud_tasks.project import make_project


@contextmanager
def cloud_project(
    folder: Path, clock: WaitableClock, function_url: str = "https://tminus-{function}.example"
) -> Iterator[tuple[CloudEmulator, CloudSettings]]:
    """Run Cloud Tasks and Cloud Scheduler, and yield them with the settings of a project of the folder's own."""
    with CloudEmulator(folder / "cloud", clock) as cloud:
        name = f"demo-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
        yield cloud, make_project(name, cloud, function_url)
