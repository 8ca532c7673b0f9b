"""The embedded runtime: the deployed functions in one process, called as Cloud Tasks and Cloud Scheduler do."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import functions_framework
from werkzeug.test import Client

from local.embedded.agenda import Agenda, Work
from local.embedded.clock import WaitableClock
from local.embedded.dispatcher import Driver
from local.embedded.documents import to_text
from local.embedded.queue import SqliteTaskQueue
from local.embedded.response import Response
from local.embedded.scheduler import SqliteSchedules

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger(__name__)


def load_functions(names: Sequence[str], source: Path) -> dict[str, "WSGIApplication"]:
    """Load functions from a source file with functions-framework, one app each, and return them by name.

    The source is executed once for each function. Errors are the framework's own: MissingSourceException,
    MissingTargetException, InvalidTargetTypeException, and whatever the source raises.
    """
    create_app: Callable[[str, str, str], WSGIApplication] = functions_framework.create_app
    with _process_restored(source.stem):
        return {name: create_app(name, str(source), "http") for name in names}


@contextmanager
def _process_restored(module: str) -> Iterator[None]:
    """Undo what functions-framework 3.10 leaves behind in the process, as if it were the only one in it.

    It sets FUNCTION_TARGET and FUNCTION_SIGNATURE_TYPE, puts its own copy of the source into `sys.modules`, appends
    the source's folder to `sys.path` once for each function, and where ENTRY_POINT is set, replaces stdout and
    stderr. The folder stays on the path, once: a function may import from it when it is called.
    """
    environment, streams, loaded = dict(os.environ), (sys.stdout, sys.stderr), sys.modules.get(module)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.stdout, sys.stderr = streams
        sys.path[:] = dict.fromkeys(sys.path)
        sys.modules.pop(module, None)
        if loaded is not None:
            sys.modules[module] = loaded


class Runtime(Driver):
    """Calls functions for the queue and the scheduler, each call inside the context `around`."""

    def __init__(
        self,
        queue: SqliteTaskQueue,
        schedules: SqliteSchedules,
        clock: WaitableClock,
        apps: Mapping[str, "WSGIApplication"],
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__(Agenda(queue, schedules), clock, self._deliver)
        self._apps = apps
        self._around = around

    def call(self, function: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Response:
        """Post a JSON object to a function; 404 for an unknown function, 500 if it raises."""
        if function not in self._apps:
            return Response(status=404, text=f"no function {function!r}; there are {', '.join(self._apps)}")
        try:
            with self._around():
                client = Client(self._apps[function], use_cookies=False)
                sent = {"Content-Type": "application/json", **headers}
                answer = client.post("/", data=to_text(body).encode(), headers=sent, buffered=True)
        except Exception:
            _log.exception("function %s raised", function)
            return Response(status=500, text="Internal Server Error")
        return Response(status=answer.status_code, headers=dict(answer.headers), text=answer.text)

    def _deliver(self, work: Work) -> Response:
        return self.call(work.function, work.headers(), work.body)
