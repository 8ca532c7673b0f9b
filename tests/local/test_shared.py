"""A server that the workers of a run share is started by the first, and stopped by it after the last."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.shared import shared


class Server:
    """Counts its starts, and knows whether it runs."""

    def __init__(self) -> None:
        self.starts, self.runs = 0, False

    @contextmanager
    def start(self, _: Path) -> Iterator[dict[str, str]]:
        self.starts, self.runs = self.starts + 1, True
        yield {"PORT": str(self.starts)}
        self.runs = False


def test_the_first_waits_at_its_end_for_the_others(tmp_path: Path) -> None:
    server = Server()
    with ExitStack() as first, ExitStack() as second:
        assert first.enter_context(shared(tmp_path, server.start)) == {"PORT": "1"}
        assert second.enter_context(shared(tmp_path, server.start)) == {"PORT": "1"}
        leaves = threading.Thread(target=first.close)
        leaves.start()
        leaves.join(0.5)
        assert (leaves.is_alive(), server.runs) == (True, True)
        second.close()
        leaves.join(10)
        assert (leaves.is_alive(), server.runs) == (False, False)


def test_after_the_end_another_is_started(tmp_path: Path) -> None:
    server = Server()
    for number in ("1", "2"):
        with shared(tmp_path, server.start) as variables:
            assert (variables, server.runs) == ({"PORT": number}, True)
        assert not server.runs
