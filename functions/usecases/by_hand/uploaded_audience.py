"""An uploaded audience, stored with its execution, in place of a job's result."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audience_jobs.contract import Audience, Column, Job
from functions.domain.audience.partition import read_records, user_id_of
from functions.domain.ids import is_user_id
from functions.domain.push.shard import Stored
from functions.ports import Ports
from functions.usecases.by_hand.sort_upload import SortedUpload
from functions.usecases.timeline.steps import Run

_FIELD = "uploadedAudience"
_AUDIENCE = "upload"
UPLOAD = Job(
    id="upload",
    title="The users of an uploaded file",
    layer=1,
    parameters=(),
    audiences=(
        Audience(
            name=_AUDIENCE,
            columns=(Column(name="user_id", type="text", meaning="the user"),),
            meaning="all users in the file",
        ),
    ),
    sql="",
)
"""The audience job of a one-off."""


def store_upload(ports: Ports, execution_id: str, upload: SortedUpload) -> dict[str, Any]:
    """Store an upload with its execution, once, and return the `audienceCriteria` that refer to it."""
    stored = ports.files.write_once(f"audiences/{execution_id}/{_AUDIENCE}.csv", upload.path)
    return {_FIELD: {**vars(stored), "users": upload.rows}}


class UploadedRows:
    """Implements JobRun with the rows of the upload in an execution's snapshot."""

    def __init__(self, ports: Ports, run: Run) -> None:
        self._ports = ports
        named: Mapping[str, Any] = run.execution.recipe["audienceCriteria"][_FIELD]
        self._users = int(named["users"])
        self._stored = Stored(**{name: value for name, value in named.items() if name != "users"})

    def size(self, _: str) -> int:
        """Return the number of rows."""
        return self._users

    def write_audience(self, _: str, path: Path) -> int:
        """Write the sorted upload, and return its number of rows."""
        with path.open("wb") as file:
            file.writelines(self._ports.files.lines(self._stored))
        return self._users

    def write_devices(
        self, _: str, path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the tokens of the upload's users with valid ids, and return their number."""
        users = list(dict.fromkeys(self._user_ids()))
        return self._ports.engine.write_devices_of(users, path, per_user=per_user, topic=topic, locales=locales)

    def _user_ids(self) -> Iterator[str]:
        records = read_records(self._ports.files.lines(self._stored))
        next(records, None)
        for record in records:
            user_id = user_id_of(record)
            if is_user_id(user_id, self._ports.policy.user_id_format):
                yield user_id
