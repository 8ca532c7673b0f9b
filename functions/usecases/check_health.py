"""Check whether everything that Tminus depends on works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.errors import AudienceJobError
from functions.domain.errors import Misconfigured, TminusError
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch

_OK = "ok"


@dataclass(frozen=True, kw_only=True)
class Health:
    """Each dependency with `ok` or a word for its problem, and when each part of this process last worked."""

    status: str
    dependencies: Mapping[str, str]
    last_worked: Mapping[str, datetime]

    @property
    def ill(self) -> Mapping[str, str]:
        """The dependencies with a problem, each with a word for it."""
        return {name: word for name, word in self.dependencies.items() if word != _OK}


def check_health(ports: Ports) -> Health:
    """Check each dependency, and each part of this runtime. The result contains no stored data."""
    words = {name: _ask(lambda ask=ask: ask(ports)) for name, ask in _QUESTIONS.items()}  # type: ignore[misc]
    words |= {name: _ask(part.check) for name, part in ports.parts.items()}
    known = {name: part.last_worked() for name, part in ports.parts.items()}
    last_worked = {name: at for name, at in known.items() if at is not None}
    healthy = all(word == _OK for word in words.values())
    return Health(status=_OK if healthy else "unhealthy", dependencies=words, last_worked=last_worked)


def _ask(question: Callable[[], object]) -> str:
    """Run one check and return a word for its result, not the error's text, which may contain addresses or data."""
    try:
        question()
    except (TminusError, AudienceJobError) as error:
        return f"Misconfigured: {error.setting}" if isinstance(error, Misconfigured) else type(error).__name__
    except Exception:
        return "Unreachable"
    return _OK


def _user_data(ports: Ports) -> None:
    with TemporaryDirectory(prefix="tminus-") as folder:
        ports.engine.write_devices_of([], Path(folder) / "devices.csv", per_user=1)


_QUESTIONS: Mapping[str, Callable[[Ports], object]] = {
    "recipes": lambda ports: ports.recipes.page(most=1),
    "executions": lambda ports: ports.executions.search(ExecutionSearch(), most=1),
    "cadence": lambda ports: ports.ledger.rules(),
    "devices": lambda ports: ports.devices.graves(range(1)),
    "schedules": lambda ports: ports.schedules.all(),
    "userData": _user_data,
}
