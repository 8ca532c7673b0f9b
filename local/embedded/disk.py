"""Check the free space of a folder's disk."""

import shutil
from pathlib import Path

from functions.domain.errors import StoreUnavailable
from local.embedded.unavailable import file_trouble

_LEAST_FREE_BYTES = 2**20
"""An audience of ten thousand users. SQLite may still write where less is free: it reuses the space of its log."""


def check_space(folder: Path) -> None:
    """Raise StoreUnavailable if the disk has no space for an audience."""
    with file_trouble(folder):
        free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        raise StoreUnavailable(f"{folder}: the disk is full, {free // 1024:,} KiB are left; make space")
