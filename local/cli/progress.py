"""Progress on standard error, only on a terminal: not in a pipe or a log, and not with --json."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

_SPINNER = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
_BAR = (*_SPINNER, BarColumn(), TaskProgressColumn(), TimeElapsedColumn())


@contextmanager
def spinner(words: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show a spinner for work of unknown length; yields a function that changes its text."""
    with _progress(*_SPINNER, TimeElapsedColumn(), quiet=quiet) as progress:
        task = progress.add_task(words, total=None)
        yield lambda news: progress.update(task, description=news)


@contextmanager
def bar(words: str, *, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """Show how much of the work is done; yields a function that takes the share, between 0 and 1."""
    with _progress(*_BAR, quiet=quiet) as progress:
        task = progress.add_task(words, total=1.0)
        yield lambda share: progress.update(task, completed=share)


@contextmanager
def read_with_bar(file: BinaryIO, size: int, words: str, *, quiet: bool = False) -> Iterator[BinaryIO]:
    """Show how much of a file has been read; yields the file to read from."""
    with _progress(*_BAR, quiet=quiet) as progress:
        yield file if progress.disable else progress.wrap_file(file, total=size, description=words)


def _progress(*columns: ProgressColumn, quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
