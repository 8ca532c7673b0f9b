"""The state folder that a command works on."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from functions import bootstrap
from functions.domain.errors import BadInput
from functions.ports import Ports
from local.cli.options import settings_with
from local.runtime.persistent_clock import clock_of


@contextmanager
def opened(state: Path, data: Path | str | None = None) -> Iterator[Ports]:
    """Open the state in a folder, on the folder's own clock. BadInput if the folder holds none."""
    require_state(state)
    with closing(bootstrap.embedded(settings_with(data, state_dir=state), clock_of(state))) as system:
        yield system.ports


def require_state(state: Path) -> None:
    """Raise BadInput unless the folder holds a state."""
    if not (state / "tminus.db").is_file():
        raise BadInput(f"--state {state}: no Tminus state is there; run a recipe first")
