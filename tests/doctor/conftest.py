"""A sound deployment on this machine, and the command that examines it."""

from collections.abc import Callable, Iterator

import pytest

from tests.command import Answer, calling
from tests.doctor.google_apis import GoogleApis, google_apis

Doctor = Callable[..., Answer]


@pytest.fixture
def apis() -> Iterator[GoogleApis]:
    with google_apis() as found:
        yield found


@pytest.fixture
def doctor(apis: GoogleApis, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Call `tminus doctor` on the deployment."""
    tminus = calling(monkeypatch, capsys)

    def call(*args: object, project: str = "kicks-test", region: str = "us-central1") -> Answer:
        return tminus("doctor", "--project", project, "--region", region, "--google-apis", apis.url, *args)

    return call
