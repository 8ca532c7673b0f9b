"""Ask everything that Tminus depends on whether it answers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.errors import AudienceJobError
from functions.domain.errors import TminusError
from functions.ports import ExecutionSearch, Ports


def check_health(ports: Ports) -> dict[str, str]:
    """Return each dependency with `ok`, or with a word for what is wrong with it and nothing of what it holds."""
    return {name: _ask(lambda ask=ask: ask(ports)) for name, ask in _QUESTIONS.items()}  # type: ignore[misc]


def _ask(question: Callable[[], object]) -> str:
    """Ask one question: whatever goes wrong, the answer is a word; texts of errors may hold addresses or data."""
    try:
        question()
    except (TminusError, AudienceJobError) as error:
        return type(error).__name__
    except Exception:
        return "Unreachable"
    return "ok"


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
