"""Where sending finds device tokens: in the model `devices` of a workspace, or else in the table of that name."""

from audience_jobs.query import Query, read_query
from audience_jobs.schema import DEVICE_COLUMNS, DEVICES, check_devices
from audience_jobs.sql import ranked_devices
from audience_jobs.workspace.models import Models


class Devices:
    """What sending reads of a workspace; LackingTables where it has neither the model nor the table."""

    def __init__(self, models: Models) -> None:
        self._is_model = DEVICES in models
        if not self._is_model:
            check_devices(models.tables)
        columns = f"SELECT {', '.join(DEVICE_COLUMNS)} FROM {DEVICES}"  # noqa: S608 (names of the schema)
        self.query: Query = (
            models.devices() if self._is_model else read_query(columns, parameters=[], tables=models.tables)
        )

    def ranked(self, recipients: str, per_user: int, *, said: str) -> str:
        """Return `ranked_devices` for a query of recipients; `said` is `query` in the words of the engine."""
        if self._is_model:
            return ranked_devices(recipients, per_user, devices=f"({said}) AS devices", switched=True)
        return ranked_devices(recipients, per_user)
