"""A workspace: the folder that says what a team's user data are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from audience_jobs.errors import BadWorkspace
from audience_jobs.schema import Tables

if TYPE_CHECKING:
    from audience_jobs.contract import DataPack
    from audience_jobs.workspace.files import Content, UserIds
    from audience_jobs.workspace.filters import Filter
    from audience_jobs.workspace.layers import Cadence
    from audience_jobs.workspace.models import Models
    from audience_jobs.workspace.push_parts import PushParts
    from audience_jobs.workspace.source import Source
    from audience_jobs.workspace.templates import DeclaredTemplate
    from audience_jobs.workspace.toml_file import TomlFile

FILE = "tminus.toml"
"""The file that makes a folder a workspace."""
TABLES_FILE = "tables.toml"
TEMPLATES_FOLDER = "templates"
MODELS_FOLDER = "models"
DATA_PACKS_FILE = "data_packs.py"
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
    def pushes(self) -> "PushParts":
        """What pushes may use, such as topics and Android channels, and what they carry by default."""
        return self._content.identity.pushes

    @property
    def people_search(self) -> tuple[str, ...]:
        """The columns of the model people by which operators may search for a person, also private ones."""
        return self._content.identity.people_search

    @property
    def settings(self) -> Mapping[str, str]:
        """What the workspace says for variables that are not set, by their names."""
        return self._content.identity.settings(self.folder)

    @property
    def tables(self) -> Tables:
        """The source tables."""
        return self._content.tables

    @property
    def has_models(self) -> bool:
        """Whether it says who the people are: it has a folder of models. One without has tables alone."""
        return self._models_folder.is_dir()

    @cached_property
    def models(self) -> "Models":
        """The models; none where there is no folder of models."""
        from audience_jobs.workspace.model_files import models_in  # noqa: PLC0415 - loads sqlglot
        from audience_jobs.workspace.models import Models  # noqa: PLC0415 - the same

        return models_in(self._models_folder, self.tables) if self.has_models else Models({}, self.tables)

    @cached_property
    def cadence(self) -> "Cadence":
        """The layers and the cadence rules. Reads tminus.toml only: every shard asks for them."""
        from audience_jobs.workspace.layers import read_cadence  # noqa: PLC0415 - as for the content

        return read_cadence(self._written)

    @cached_property
    def templates(self) -> "tuple[DeclaredTemplate, ...]":
        """The recipes to begin with."""
        from audience_jobs.workspace.templates import read_templates  # noqa: PLC0415 - as for the content

        return read_templates(self._written)

    @cached_property
    def filters(self) -> "Mapping[str, Filter]":
        """The filters that recipes may write, by their names, in order."""
        return self._own_filters if self.filters_from is self else self.filters_from.filters

    @cached_property
    def data_packs(self) -> "Mapping[str, DataPack]":
        """The data packs that recipes may write, by their names, in order."""
        if self.filters_from is not self:
            return self.filters_from.data_packs
        from audience_jobs.job_files.python_file import read_data_packs  # noqa: PLC0415 - as for the content

        return read_data_packs(self._data_packs_file) if self._data_packs_file.is_file() else {}

    @property
    def old_filters(self) -> tuple[str, ...]:
        """The names of filters in old recipes, also in `audienceCriteria` itself, in the order of forms."""
        in_order = sorted(self.filters.values(), key=lambda each: each.kind != "yes_no")
        return tuple(name for each in in_order for name in each.old)

    @cached_property
    def filters_from(self) -> "Workspace":
        """The workspace whose filters and data packs recipes may write: the built-in one, where this has none."""
        return self if self._own_filters or self._data_packs_file.is_file() else marketplace()

    def check(self) -> None:
        """Raise BadWorkspace with all that is wrong in the files."""
        try:
            _ = self._content
        except BadWorkspace as error:
            raise BadWorkspace([*error.problems, *self._model_problems()]) from None
        if self.people_search or self.has_models:
            self._check_people_search()
        if self.filters_from is self:
            from audience_jobs.filter_check import check_filters  # noqa: PLC0415 - loads sqlglot

            check_filters(self)

    @cached_property
    def _written(self) -> "TomlFile":
        from audience_jobs.workspace.toml_file import read_toml  # noqa: PLC0415 - as for the content

        return read_toml(self.folder / FILE)

    def _check_people_search(self) -> None:
        from audience_jobs.workspace.people_search import check_columns  # noqa: PLC0415 - loads sqlglot

        if problems := check_columns(self._written, self.models):
            raise BadWorkspace(map(str, problems))

    @property
    def _data_packs_file(self) -> Path:
        return self.folder / DATA_PACKS_FILE

    @cached_property
    def _own_filters(self) -> "Mapping[str, Filter]":
        from audience_jobs.workspace.filters_file import read_filters  # noqa: PLC0415 - as for the content

        return read_filters(self._written)

    @property
    def _models_folder(self) -> Path:
        return self.folder / MODELS_FOLDER

    def _model_problems(self) -> Iterable[str]:
        """Return what is wrong with the models where another file is wrong: without tables, which files there are."""
        from audience_jobs.workspace.files import sound_tables  # noqa: PLC0415 - as for the content
        from audience_jobs.workspace.model_files import models_in  # noqa: PLC0415 - loads sqlglot

        try:
            if self.has_models:
                models_in(self._models_folder, sound_tables(self.folder / TABLES_FILE))
        except BadWorkspace as error:
            return error.problems
        return ()

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
    models = sorted((folder / MODELS_FOLDER).glob("*.sql"))
    templates = sorted((folder / TEMPLATES_FOLDER).glob("*.json"))
    files = (folder / FILE, folder / TABLES_FILE, folder / DATA_PACKS_FILE)
    read = (*files, folder / MODELS_FOLDER, *models, *templates)
    stamps = {path: _stamp(path) for path in read}
    return _opened(folder, folder.resolve(), *stamps.items())


@lru_cache(maxsize=1)
def _opened(folder: Path, *_: object) -> Workspace:
    workspace = Workspace(folder)
    workspace.check()
    return workspace


def _stamp(path: Path) -> object:
    """Return what changes with a file."""
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.exists() else None


def nearest_workspace(folder: Path) -> Path | None:
    """Return the closest folder that is a workspace: this one or one that it lies in; None without one."""
    return next((above for above in (folder, *folder.resolve().parents) if is_workspace(above)), None)
