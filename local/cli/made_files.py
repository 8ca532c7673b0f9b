"""The files that a command made in a folder, so that it does not overwrite others."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from functions.domain.errors import BadInput

_LIST = ".made-by-tminus"
_MOST_NAMED = 3


class MadeFiles:
    """Records the files made in a folder in a hidden file there: names and checksums."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self) -> None:
        """Refuse a folder with other files; BadInput names some of them. Hidden files do not count."""
        found = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        made = self._read()
        others = [
            path.name
            for path in found
            if not path.name.startswith(".") and (path.name not in made or made[path.name] != _state(path))
        ]
        if others:
            named = ", ".join(others[:_MOST_NAMED]) + (" and more" if len(others) > _MOST_NAMED else "")
            raise BadInput(
                f"{self._folder} holds {named}, which tminus did not write, or which was changed since: "
                "give another folder, or --force to write there all the same"
            )

    def remember(self, names: Iterable[str]) -> None:
        """Record files that were just made, in addition to earlier ones."""
        made = self._read() | {name: _state(self._folder / name) for name in names}
        (self._folder / _LIST).write_text(json.dumps(made))

    def _read(self) -> dict[str, str]:
        try:
            return dict(json.loads((self._folder / _LIST).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return {}


def _state(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
