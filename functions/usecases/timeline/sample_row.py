"""The row whose values fill the pushes of a test, if the tester chose one."""

from functions.domain.audience.partition import read_rows
from functions.domain.execution.execution import Kind
from functions.domain.ids import canonical_user_id
from functions.domain.push.shard import IndexedFile
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.timeline.journal import note
from functions.usecases.timeline.steps import Run

SAMPLE_USER = "testSampleUser"
"""The field of a test's snapshot with the user whose values fill the variables."""


def chosen_row(ports: Ports, run: Run, live: IndexedFile) -> list[str] | None:
    """Return the row of the chosen user; None without one. The log says if the user is not in the audience."""
    user = run.execution.recipe.get(SAMPLE_USER)
    if not isinstance(user, str) or run.execution.kind is not Kind.TEST:
        return None
    rows = read_rows(b"".join(ports.files.lines(live.stored)))
    found = next((row for row in rows if canonical_user_id(row[0]) == canonical_user_id(user)), None)
    if found is None:
        message = "the chosen person is not in the audience, so another person's values fill the variables"
        note(ports, run.execution.id, Phase.AUDIENCE_GENERATION, message)
    return found
