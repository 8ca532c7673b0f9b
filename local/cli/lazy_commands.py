"""Commands that are loaded when they are used: all together take half a second."""

from collections import UserDict
from importlib import import_module
from typing import Any

from local.cli import interrupt


class LazyCommands(UserDict[str, Any]):
    """The click commands by name, made of the modules that have them.

    A module has its command under the command's name, with underscores. Ctrl-C ends the process at once while a
    module loads.
    """

    def __getitem__(self, name: str) -> Any:
        module: str = self.data[name]
        with interrupt.leaving_at_once():
            return getattr(import_module(module), name.replace("-", "_"))
