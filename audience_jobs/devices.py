"""Where sending finds device tokens: in the model `devices` of a workspace, or else in the table of that name.

The model `opt_outs` says who wants no pushes: those users have no tokens here, and one row that says so.
"""

from collections.abc import Callable, Sequence

from audience_jobs.query import Query, read_query
from audience_jobs.schema import DEVICE_COLUMNS, DEVICES, check_devices
from audience_jobs.sql import ranked_devices
from audience_jobs.workspace.models import OPT_OUTS, Models

_COLUMNS = ", ".join(DEVICE_COLUMNS)
_AS_A_MODEL = f"SELECT {_COLUMNS}, '' AS fid, TRUE AS notifications FROM {DEVICES}"  # noqa: S608 (names of the schema)
"""The table of devices, with what only a model can say."""


class Devices:
    """What sending reads of a workspace; LackingTables where it has neither the model nor the table.

    `topic` is that of the pushes, empty for none. With None no opt-out counts, as for test pushes. `locales`
    asks for the users' locales, where the workspace knows them.
    """

    def __init__(self, models: Models, topic: str | None, *, locales: bool) -> None:
        self.source, self._is_model = models.tables, DEVICES in models
        if not self._is_model:
            check_devices(models.tables)
        columns = f"SELECT {_COLUMNS} FROM {DEVICES}"  # noqa: S608 (names of the schema)
        self._devices = (
            models.devices() if self._is_model else read_query(columns, parameters=[], tables=models.tables)
        )
        self._opt_outs = models.opt_outs(topic) if topic is not None and OPT_OUTS in models else None
        self._locales = models.locales() if locales and models.have_locales else None

    @property
    def queries(self) -> Sequence[Query]:
        """The queries over the source tables that it is made of."""
        return [query for query in (self._devices, self._opt_outs, self._locales) if query]

    def ranked(self, recipients: str, per_user: int, *, said: Callable[[Query], str]) -> str:
        """Return `ranked_devices` for a query of recipients; `said` writes a query in the words of the engine."""
        return ranked_devices(
            recipients,
            per_user,
            devices=said(self._devices) if self._is_model else _AS_A_MODEL,
            opted_out=said(self._opt_outs) if self._opt_outs else "",
            locales=said(self._locales) if self._locales else "",
        )
