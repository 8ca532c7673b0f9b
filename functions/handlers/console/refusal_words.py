"""What the page of a refusal says: a title in plain words, and the way back."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Request

from functions.handlers.http.errors import Refusal

_DOING: Mapping[str, str] = {
    "/recipes/new": "create this campaign",
    "/recipes/*/edit": "save this campaign",
    "/recipes/*/resume": "activate this campaign",
    "/recipes/*/pause": "pause this campaign",
    "/recipes/*/archive": "archive this campaign",
    "/recipes/*/delete": "delete this campaign",
    "/recipes/*/run": "start this send",
    "/executions/*/cancel": "cancel this send",
    "/executions/*/stop": "stop this send",
    "/cadence": "change the frequency caps",
    "/segments/*/delete": "delete this segment",
    "/audit/reopen": "reopen this",
}
_THINGS = {"recipes": "Campaign", "executions": "Send", "segments": "Segment"}


def title_of(refused: Refusal, method: str, path: str) -> str:
    """Return what went wrong, in a few words."""
    status, doing = refused.status, _DOING.get(re.sub(r"(?<=^/)(\w+)/[^/]+/", r"\1/*/", path))
    if status == 404:
        thing = re.fullmatch(r"/(recipes|executions|segments)/[^/]+(/\w+)?", path)
        return f"{_THINGS[thing[1]]} not found" if thing else "Page not found"
    if status in (401, 403):
        return "You can't do this"
    if status == 500:
        return "Something went wrong"
    if status == 503:
        return "Try again in a moment" if "Retry-After" in refused.headers else "Tminus is not available"
    if method == "POST" and doing:
        return f"Can't {doing}"
    return "This isn't possible now" if status in (409, 412) else "This can't be done"


def back_to(request: Request) -> str:
    """Return the path of the console's page that the visitor comes from; empty if it is unknown or this one."""
    came = urlsplit(request.headers.get("Referer", ""))
    here = (request.host, request.script_root + request.path)
    if came.netloc != request.host or ((came.netloc, came.path) == here and request.method == "GET"):
        return ""
    if not came.path.startswith(f"{request.script_root}/") or came.path.startswith("//"):
        return ""
    return came.path + (f"?{came.query}" if came.query else "")
