"""Where the deployed functions begin: what a request needs is loaded when the first one comes.

An instance is started for its first request, and Cloud Run waits until it listens: so nothing is loaded before.
"""

from flask import Request, Response


def handle_task(function: str, request: Request) -> Response:
    """Run the step that a task asks for."""
    from functions.handlers.jobs import tasks  # noqa: PLC0415

    return tasks.handle_task(function, request)


def handle_launch(request: Request) -> Response:
    """Launch the execution of the send that belongs to the scheduler's time."""
    from functions.handlers.jobs import scheduler  # noqa: PLC0415

    return scheduler.handle_launch(request)


def handle_reconcile(request: Request) -> Response:
    """Make what is match what should be."""
    from functions.handlers.jobs import scheduler  # noqa: PLC0415

    return scheduler.handle_reconcile(request)


def handle_console(request: Request) -> Response:
    """Show a page of the console, or do what a form of it asks for; an alert's cancel link needs no other key."""
    if request.path.startswith("/cancel/"):
        from functions.handlers.console.cancel import handler  # noqa: PLC0415

        return handler.handle_cancel_link(request)
    from functions.handlers.console import app  # noqa: PLC0415

    return app.handle_console(request)


def handle_api(request: Request) -> Response:
    """Serve a call of the HTTP API."""
    from functions.handlers.api import app  # noqa: PLC0415

    return app.handle_api(request)


def handle_send_alert(request: Request) -> Response:
    """Post an alert to its channels."""
    from functions.handlers.jobs import alerts  # noqa: PLC0415

    return alerts.handle_send_alert(request)
