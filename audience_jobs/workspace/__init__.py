"""A workspace: the folder that says what a team's user data are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from audience_jobs.schema import Tables

if TYPE_CHECKING:
    from audience_jobs.workspace.files import Content, UserIds
    from audience_jobs.workspace.source import Source

FILE = "tminus.toml"
"""The file that makes a folder a workspace."""
TABLES_FILE = "tables.toml"
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
        return self._content.identity.name

    @property
    def user_ids(self) -> "UserIds":
        """Which user ids are valid: `any`, or `uuid`."""
        return self._content.identity.user_ids

    @property
    def source(self) -> "Source | None":
        """Where the user data are, unless the settings of the process say otherwise; None where it does not say."""
        return self._content.identity.source

    @property
    def settings(self) -> Mapping[str, str]:
        """What the workspace says for variables that are not set, by their names."""
        return self._content.identity.settings(self.folder)

    @property
    def tables(self) -> Tables:
        """The source tables."""
        return self._content.tables

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
    return _opened(folder, folder.resolve(), *(_stamp(folder / name) for name in (FILE, TABLES_FILE)))


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
