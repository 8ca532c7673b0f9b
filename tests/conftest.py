"""An FCM on this machine and a sender that speaks to it; Google Cloud's emulators, started once."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.logs import log
from local.runtime.emulators import EmulatorMissing, google_emulators
from local.standins.fcm import FakeFcm
from tests.fcm import settings_for
from tests.shared import shared

_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 4 * 2**30


def pytest_configure(config: pytest.Config) -> None:
    """Put the tests' folders into memory where it is large enough: on a disk SQLite waits at every commit."""
    chosen = config.option.basetemp or "PYTEST_DEBUG_TEMPROOT" in os.environ
    if not chosen and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(_MEMORY)


@pytest.fixture(scope="session", autouse=True)
def _temporary_files_go_with_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have tests, and processes that they kill, leave their temporary files where pytest cleans up."""
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("tmp"))
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_image_is_loaded() -> Iterator[None]:
    """Have no test, and no process that one starts, load images from the internet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMAGE_CHECK", "off")
        yield


MakeFcm = Callable[..., tuple[FakeFcm, FcmSender]]


@pytest.fixture(autouse=True)
def _logs_are_as_before() -> Iterator[None]:
    """Let every test log, also after one that plays the simulator, which silences its process."""
    level = log.level
    yield
    log.setLevel(level)


@pytest.fixture
def make_fcm() -> Iterator[MakeFcm]:
    """Start a fake FCM, as its arguments say, and a sender that reaches it with real credentials over TLS."""
    with ExitStack() as stack:

        def make(**options: Any) -> tuple[FakeFcm, FcmSender]:
            fcm = stack.enter_context(FakeFcm(**options))
            return fcm, stack.enter_context(closing(FcmSender(settings_for(fcm), SystemClock())))

        yield make


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Firestore and Cloud Storage on this machine; where one is missing, CI fails and everybody else is told how.

    All workers of a run share them, because each test has a project of its own. A query whose index Terraform does
    not make is refused, as on Google Cloud; the emulator would answer it.
    """
    from functions.gcp.firestore import documents, places  # noqa: PLC0415 - it loads Google's client
    from tests.indexes import refusing  # noqa: PLC0415 - the same

    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "emulators"
    try:
        with shared(folder, google_emulators) as variables, pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.setattr(documents, "asked", refusing(places.asked))
            yield variables
    except EmulatorMissing as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))
