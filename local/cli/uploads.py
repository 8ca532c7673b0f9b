"""Files for a running system: on this machine, or in the bucket of the deployment."""

from pathlib import Path
from typing import Any

import click

_BUCKET = "gs://"


class UploadFile(click.Path):
    """The type of an option: the path of a file, or the text `gs://BUCKET/uploads/NAME`."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a path, or an address as it was given."""
        if isinstance(value, str) and value.startswith(_BUCKET):
            return value
        return super().convert(value, param, ctx)
