"""Replace correct code by a defect wherever the product holds that code, and restore it afterwards.

A change names the correct code by the object itself, so a rename carries over, and mypy reports a removed name.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_SEARCHED = ("functions", "local")
"""The packages whose modules may hold a function under a name of their own."""


@dataclass(frozen=True)
class Change:
    """One replacement: a function, method or property, and a function that makes the defective one from it."""

    right: Any
    make: Callable[[Any], Any]

    @contextmanager
    def made(self) -> Iterator[None]:
        """Replace the correct code inside the context, also in modules that are imported meanwhile."""
        if not self.held():
            raise LookupError(f"no module or class holds {self.right!r}, which a defect replaces")
        wrong = self.make(self.right)
        self._replace(self.right, wrong)
        try:
            yield
        finally:
            self._replace(wrong, self.right)

    def held(self) -> bool:
        """Return whether the product holds the correct code."""
        return any(True for _ in self._places(self.right))

    def _replace(self, old: object, new: object) -> None:
        for holder, name in self._places(old):
            setattr(holder, name, new)

    def _places(self, wanted: object) -> Iterator[tuple[Any, str]]:
        """Yield each holder of an object, its class or modules, with the object's name there."""
        for holder in self._holders():
            yield from ((holder, name) for name, value in list(vars(holder).items()) if value is wanted)

    def _holders(self) -> Iterable[Any]:
        function: Any = self.right.fget if isinstance(self.right, property) else self.right
        owner, _, _ = function.__qualname__.rpartition(".")
        if owner:
            return [getattr(sys.modules[function.__module__], owner)]
        return [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in _SEARCHED]
