"""An FCM on this machine and a sender that speaks to it; Google Cloud's emulators, started once."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from functions.gcp.clock import SystemClock
from functions.gcp.fcm import FcmSender
from local.emulators import EmulatorMissing
from local.fake_fcm import FakeFcm
from tests.fcm import settings_for
from tests.google_cloud import Emulators
from tests.google_cloud import emulators as running

MakeFcm = Callable[..., tuple[FakeFcm, FcmSender]]


@pytest.fixture
def make_fcm() -> Iterator[MakeFcm]:
    """Start a fake FCM, as its arguments say, and a sender that reaches it with real credentials over TLS."""
    with ExitStack() as stack:

        def make(**options: Any) -> tuple[FakeFcm, FcmSender]:
            fcm = stack.enter_context(FakeFcm(**options))
            return fcm, stack.enter_context(closing(FcmSender(settings_for(fcm), SystemClock())))

        yield make


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Firestore and Cloud Storage on this machine; where one is missing, CI fails and everybody else is told how."""
    try:
        with running(tmp_path_factory.mktemp("emulators")) as started:
            yield started
    except EmulatorMissing as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))
