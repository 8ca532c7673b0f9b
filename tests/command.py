"""The command `tminus`, called within the process of a test."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local.cli.main import main


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


Tminus = Callable[..., Answer]


def calling(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tminus:
    """Return what calls the command with arguments, and answers its exit status and what it printed."""

    def call(*args: object) -> Answer:
        monkeypatch.setattr("sys.argv", ["tminus", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Answer(int(ended.value.code or 0), told.out, told.err)

    return call
