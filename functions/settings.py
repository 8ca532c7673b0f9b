"""The only reader of the environment: what a deployment is told, read once, refused early and by name."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from functions.domain.errors import Misconfigured
from functions.domain.ids import UserIdFormat, is_user_id
from functions.domain.policy import Policy
from functions.domain.safeguards import Limits
from functions.domain.template import LinkPolicy

_PROJECT = re.compile(r"[a-z][a-z0-9:.-]{3,99}")
"""A project's id, perhaps of a domain's: cloud.google.com/resource-manager/docs/creating-managing-projects."""


class Platform(StrEnum):
    """Where the functions run."""

    EMBEDDED = "embedded"


@dataclass(frozen=True, kw_only=True)
class FcmSettings:
    """Where and how to reach FCM.

    `credentials_file` is a service account's key; without one, the credentials of the machine are used. `ca_file`
    replaces the authorities that are trusted by default, so that a local server can stand in for FCM.
    `time_to_live` is how long FCM tries to reach a device.
    """

    project: str
    endpoint: str = "https://fcm.googleapis.com"
    ca_file: Path | None = None
    credentials_file: Path | None = None
    time_to_live: timedelta = timedelta(hours=4)

    @property
    def send_url(self) -> str:
        """The address of HTTP v1's send: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send."""
        return f"{self.endpoint}/v1/projects/{self.project}/messages:send"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the environment decides. Without `fcm`, messages go to a file that people can read."""

    platform: Platform = Platform.EMBEDDED
    fcm: FcmSettings | None = None
    state_dir: Path = Path(".tminus/state")
    user_data_dir: Path = Path(".tminus/data")
    policy: Policy = field(default_factory=Policy)


def process_settings() -> Settings:
    """Read the settings of this process."""
    return read_settings(os.environ)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read settings from the environment's variables; Misconfigured names the one at fault."""
    reader = _Reader(environ)
    return Settings(
        platform=Platform(reader.choice("TMINUS_PLATFORM", [platform.value for platform in Platform])),
        state_dir=Path(reader.text("STATE_DIR", ".tminus/state")),
        user_data_dir=Path(reader.text("USER_DATA_DIR", ".tminus/data")),
        fcm=_fcm(reader) if reader.choice("PUSH_SENDER", ["outbox", "fcm"]) == "fcm" else None,
        policy=_policy(reader),
    )


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "").strip() or default

    def words(self, name: str, default: str = "") -> tuple[str, ...]:
        return tuple(word.strip() for word in self.text(name, default).split(",") if word.strip())

    def number(self, name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        text = self.text(name, str(default))
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise Misconfigured(name, f"must be a whole number {bounds}, got {text!r}")
        return int(text)

    def file(self, name: str) -> Path | None:
        text = self.text(name, "")
        if text and not Path(text).is_file():
            raise Misconfigured(name, f"there is no file {text!r}")
        return Path(text) if text else None

    def choice(self, name: str, choices: list[str]) -> str:
        text = self.text(name, choices[0]).lower()
        if text not in choices:
            raise Misconfigured(name, f"must be one of {', '.join(choices)}, got {text!r}")
        return text


def _fcm(reader: _Reader) -> FcmSettings:
    endpoint = reader.text("FCM_ENDPOINT", FcmSettings.endpoint).rstrip("/")
    if not endpoint.startswith("https://"):
        raise Misconfigured(
            "FCM_ENDPOINT", f"must begin with https://, as access tokens travel there, got {endpoint!r}"
        )
    project = reader.text("GOOGLE_CLOUD_PROJECT", "")
    if not _PROJECT.fullmatch(project):
        raise Misconfigured("GOOGLE_CLOUD_PROJECT", f"must be the id of the Firebase project, got {project!r}")
    return FcmSettings(
        project=project,
        endpoint=endpoint,
        ca_file=reader.file("FCM_CA_FILE"),
        credentials_file=reader.file("FCM_CREDENTIALS_FILE"),
        time_to_live=timedelta(minutes=reader.number("PUSH_TTL_MINUTES", 4 * 60, most=28 * 24 * 60)),
    )


def _policy(reader: _Reader) -> Policy:
    form = UserIdFormat(reader.choice("USER_ID_FORMAT", [form.value for form in UserIdFormat]))
    testers = reader.words("DEFAULT_TEST_USER_IDS")
    for user_id in testers:
        if not is_user_id(user_id, form):
            raise Misconfigured(
                "DEFAULT_TEST_USER_IDS", f"{user_id!r} is no valid user id (USER_ID_FORMAT is {form})"
            )
    return Policy(
        default_test_user_ids=testers,
        user_id_format=form,
        devices_per_user=reader.number("DEVICES_PER_USER", 1),
        fail_open=reader.choice("CADENCE_FAIL", ["closed", "open"]) == "open",
        send_rate=reader.number("FCM_MESSAGES_PER_SECOND", Policy.send_rate),
        links=LinkPolicy(allowed=tuple(word.lower() for word in reader.words("ALLOWED_LINKS", "https"))),
        limits=Limits(
            executions_at_once=reader.number("MAX_EXECUTIONS_AT_ONCE", 10),
            total_audience=reader.number("MAX_TOTAL_AUDIENCE", 100_000),
            pushes=reader.number("MAX_PUSHES", 20),
            total_delay=timedelta(minutes=reader.number("MAX_TOTAL_DELAY_MINUTES", 5 * 24 * 60, least=0)),
            shortest_window=timedelta(minutes=reader.number("SHORTEST_WINDOW_MINUTES", 5, least=0)),
        ),
    )
