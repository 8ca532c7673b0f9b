"""The deployed functions: Cloud Run starts one process for each, named by FUNCTION_TARGET.

Keep this file free of state: the loader runs it once for every function it serves.
"""

import functions_framework
from flask import Request, Response

from functions.handlers.jobs import alerts, scheduler, tasks


@functions_framework.http
def launch(request: Request) -> Response:
    """Cloud Scheduler, one job for each active recipe: start the execution of a send."""
    return scheduler.handle_launch(request)


@functions_framework.http
def build_audience(request: Request) -> Response:
    """Cloud Tasks, T-30: run the audience job and write the audiences."""
    return tasks.handle_task("build_audience", request)


@functions_framework.http
def send_test(request: Request) -> Response:
    """Cloud Tasks, T-25: send the test pushes."""
    return tasks.handle_task("send_test", request)


@functions_framework.http
def checkpoint(request: Request) -> Response:
    """Cloud Tasks, T-0: go or no-go."""
    return tasks.handle_task("checkpoint", request)


@functions_framework.http
def send_push(request: Request) -> Response:
    """Cloud Tasks, T-0 and the delays after it: plan the shards of one push."""
    return tasks.handle_task("send_push", request)


@functions_framework.http
def send_shard(request: Request) -> Response:
    """Cloud Tasks: send one shard of one push."""
    return tasks.handle_task("send_shard", request)


@functions_framework.http
def finish(request: Request) -> Response:
    """Cloud Tasks, T+10 after the last push: totals and cleanup."""
    return tasks.handle_task("finish", request)


@functions_framework.http
def reconcile(request: Request) -> Response:
    """Cloud Scheduler, every five minutes: make what is match what should be."""
    return scheduler.handle_reconcile(request)


@functions_framework.http
def api(request: Request) -> Response:
    """People and programs: recipes, executions, and what is done to them."""
    from functions.handlers.api.app import handle_api  # noqa: PLC0415 - no other function needs it

    return handle_api(request)


@functions_framework.http
def send_alert(request: Request) -> Response:
    """Cloud Tasks: post an alert to its channels."""
    return alerts.handle_send_alert(request)


@functions_framework.http
def console(request: Request) -> Response:
    """People: see what runs and what will, and stop it."""
    from functions.handlers.console.app import handle_console  # noqa: PLC0415 - no other function needs it

    return handle_console(request)
