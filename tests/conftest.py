"""An FCM on this machine and a sender that speaks to it; Google Cloud's emulators, started once."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import pytest

from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.logs import log
from local.runtime.emulators import EmulatorMissing, google_emulators
from local.standins.fcm import FakeFcm
from tests.fcm import settings_for

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
    """Firestore and Cloud Storage on this machine; where one is missing, CI fails and everybody else is told how."""
    try:
        with google_emulators(tmp_path_factory.mktemp("emulators")) as variables:
            yield variables
    except EmulatorMissing as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))
