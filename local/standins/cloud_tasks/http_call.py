"""The HTTP request that a task or a job asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from google.cloud import scheduler_v1, tasks_v2

from local.embedded.agenda import Work
from local.embedded.fire import Fire
from local.standins.cloud_tasks.errors import InvalidArgument, Unimplemented
from local.standins.cloud_tasks.messages import job_message, task_message

Target = tasks_v2.HttpRequest | scheduler_v1.HttpTarget

_LONGEST_URL = 2083
_LARGEST_HEADERS_BYTES = 80 * 1024
_WITH_BODY = ("POST", "PUT", "PATCH")
_NOT_THE_USERS = ("host", "content-length", "user-agent")
_NOT_THE_USERS_PREFIXES = ("x-google-", "x-appengine-", "x-cloudtasks-", "x-cloudscheduler")


@dataclass(frozen=True, kw_only=True)
class HttpCall:
    """A request, and the service account's email for its ID token; empty for no token."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    email: str
    audience: str


def call_of(work: Work) -> HttpCall:
    """Return the request of a delivery or fire, with the headers of the service."""
    if isinstance(work, Fire):
        target: Target = job_message(work.job).http_target
        own = _fire_headers(work)
    else:
        target, own = task_message(work.task).http_request, work.headers()
    url = url_of(target)
    headers = {name: value for name, value in target.headers.items() if not _replaced(name)}
    given = {name.lower() for name in headers}
    if "content-type" not in given and target.body:
        headers["Content-Type"] = "application/octet-stream"
    own.pop("Content-Type")
    return HttpCall(
        method=_method(target),
        url=url,
        headers=headers | own,
        body=target.body,
        email=target.oidc_token.service_account_email,
        audience=target.oidc_token.audience or url,
    )


def url_of(target: Target) -> str:
    """Return the URL that a task or job names."""
    return target.uri if isinstance(target, scheduler_v1.HttpTarget) else target.url


def check_target(target: Target) -> None:
    """Raise InvalidArgument or Unimplemented for a request that the services refuse."""
    url = url_of(target)
    if not url.startswith(("http://", "https://")) or len(url) > _LONGEST_URL:
        raise InvalidArgument(f"URL {url[:100]!r}: must begin with http:// or https:// and be at most 2,083 long")
    if target.body and _method(target) not in _WITH_BODY:
        raise InvalidArgument(f"a {_method(target)} request has no body; use one of {', '.join(_WITH_BODY)}")
    size = sum(len(name) + len(value) for name, value in target.headers.items())
    if size > _LARGEST_HEADERS_BYTES:
        raise InvalidArgument(f"headers of {size:,} bytes; at most {_LARGEST_HEADERS_BYTES:,} are allowed")
    if "oauth_token" in target:
        raise Unimplemented("the emulator makes no OAuth tokens; use oidc_token")
    if "oidc_token" in target and "@" not in target.oidc_token.service_account_email:
        email = target.oidc_token.service_account_email
        raise InvalidArgument(f"oidc_token.service_account_email {email!r} is not the email of a service account")


def _fire_headers(fire: Fire) -> dict[str, str]:
    """Return Cloud Scheduler's headers. The schedule time has the UTC offset of the job's zone."""
    headers = fire.headers()
    if not fire.manual:
        local = fire.schedule_time.astimezone(ZoneInfo(fire.job.zone))
        headers["X-CloudScheduler-ScheduleTime"] = local.isoformat(timespec="seconds").replace("+00:00", "Z")
    return headers


def _method(target: Target) -> str:
    unspecified = not target.http_method
    return "POST" if unspecified else str(target.http_method.name)


def _replaced(header: str) -> bool:
    name = header.lower()
    return name in _NOT_THE_USERS or name.startswith(_NOT_THE_USERS_PREFIXES)
