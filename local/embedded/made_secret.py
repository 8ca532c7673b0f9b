"""A secret of this machine, made on first use and kept in a file of its owner."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from local.embedded.unavailable import file_trouble

_BYTES = 32


def made_secret(path: Path) -> str:
    """Return the secret in a file, which only its owner can read; make it if there is none."""
    with file_trouble(path):
        if not path.exists():
            _make(path)
        return path.read_text()


def _make(path: Path) -> None:
    """Write a whole file under another name, then link it. If another process was first, its secret stands."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(_BYTES))
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
