"""The only reader of the environment: what a deployment is told, read once, refused early and by name."""

import os
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


class Platform(StrEnum):
    """Where the functions run."""

    EMBEDDED = "embedded"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the environment decides."""

    platform: Platform = Platform.EMBEDDED
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
        policy=_policy(reader),
    )


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "").strip() or default

    def words(self, name: str, default: str = "") -> tuple[str, ...]:
        return tuple(word.strip() for word in self.text(name, default).split(",") if word.strip())

    def number(self, name: str, default: int, *, least: int = 1) -> int:
        text = self.text(name, str(default))
        if not text.isdecimal() or int(text) < least:
            raise Misconfigured(name, f"must be a whole number of at least {least}, got {text!r}")
        return int(text)

    def choice(self, name: str, choices: list[str]) -> str:
        text = self.text(name, choices[0]).lower()
        if text not in choices:
            raise Misconfigured(name, f"must be one of {', '.join(choices)}, got {text!r}")
        return text


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
        links=LinkPolicy(allowed=tuple(word.lower() for word in reader.words("ALLOWED_LINKS", "https"))),
        limits=Limits(
            executions_at_once=reader.number("MAX_EXECUTIONS_AT_ONCE", 10),
            total_audience=reader.number("MAX_TOTAL_AUDIENCE", 100_000),
            pushes=reader.number("MAX_PUSHES", 20),
            total_delay=timedelta(minutes=reader.number("MAX_TOTAL_DELAY_MINUTES", 5 * 24 * 60, least=0)),
            shortest_window=timedelta(minutes=reader.number("SHORTEST_WINDOW_MINUTES", 5, least=0)),
        ),
    )
