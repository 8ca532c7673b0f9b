"""A workspace: the folder that says what a team's user data are."""

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from audience_jobs.schema import Tables

if TYPE_CHECKING:
    from audience_jobs.workspace.files import Content
    from audience_jobs.workspace.layers import Cadence
    from audience_jobs.workspace.templates import DeclaredTemplate

FILE = "tminus.toml"
"""The file that makes a folder a workspace."""
TABLES_FILE = "tables.toml"
TEMPLATES_FOLDER = "templates"
_MARKETPLACE = Path(__file__).parent.parent / "marketplace"


@dataclass(frozen=True)
class Workspace:
    """The workspace in a folder; its files are read once, when something of them is first used.

    That first use raises BadWorkspace, with all problems of the files.
    """

    folder: Path

    @property
    def name(self) -> str:
        """What the team calls it."""
        return self._content.name

    @property
    def tables(self) -> Tables:
        """The source tables."""
        return self._content.tables

    @cached_property
    def cadence(self) -> "Cadence":
        """The layers and the cadence rules. Reads tminus.toml only: every shard asks for them."""
        from audience_jobs.workspace.layers import read_cadence  # noqa: PLC0415 - as for the content
        from audience_jobs.workspace.toml_file import read_toml  # noqa: PLC0415 - the same

        return read_cadence(read_toml(self.folder / FILE))

    @cached_property
    def templates(self) -> "tuple[DeclaredTemplate, ...]":
        """The recipes to begin with."""
        from audience_jobs.workspace.templates import read_templates  # noqa: PLC0415 - as for the content
        from audience_jobs.workspace.toml_file import read_toml  # noqa: PLC0415 - the same

        return read_templates(read_toml(self.folder / FILE))

    def check(self) -> None:
        """Raise BadWorkspace with all that is wrong in the files."""
        _ = self._content

    @cached_property
    def _content(self) -> "Content":
        from audience_jobs.workspace.files import read_content  # noqa: PLC0415 - most functions need no tomllib

        return read_content(self.folder / FILE, self.folder / TABLES_FILE)


@cache
def marketplace() -> Workspace:
    """Return the built-in workspace, for where there is no other."""
    return Workspace(_MARKETPLACE)


def is_workspace(folder: Path) -> bool:
    """Whether a folder is one of a workspace."""
    return (folder / FILE).is_file()


def open_workspace(folder: Path | None) -> Workspace:
    """Return the workspace in a folder, or the built-in one; BadWorkspace with all that is wrong in the folder."""
    if folder is None:
        return marketplace()
    stamps = [_stamp(folder / name) for name in (FILE, TABLES_FILE)]
    templates = [(path, _stamp(path)) for path in sorted((folder / TEMPLATES_FOLDER).glob("*.json"))]
    return _opened(folder, folder.resolve(), *stamps, *templates)


@lru_cache(maxsize=1)
def _opened(folder: Path, *_: object) -> Workspace:
    workspace = Workspace(folder)
    workspace.check()
    return workspace


def _stamp(path: Path) -> object:
    """Return what changes with a file."""
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None


def nearest_workspace(folder: Path) -> Path | None:
    """Return the closest folder that is a workspace: this one or one that it lies in; None without one."""
    return next((above for above in (folder, *folder.resolve().parents) if is_workspace(above)), None)
