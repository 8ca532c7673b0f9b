"""Google's REST APIs, read with the credentials of the user who runs the command."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import google.auth
import requests
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from functions.domain.errors import BadInput

Document = Mapping[str, Any]

AT_ONCE = 8
"""Requests in progress at once."""
_TIMEOUT_SECONDS = 30.0
_REPEATED = (429, 500, 502, 503, 504)
_MOST_ATTEMPTS = 4
_LONGEST_WAIT_SECONDS = 10
_MOST_PAGES = 200
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LOGIN = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"
_DENIED = re.compile(r"Permission ['\"]?([a-z]+(?:\.[A-Za-z]+){2})|have ([a-z]+(?:\.[A-Za-z]+){2}) access")


class Missing(Exception):
    """The resource does not exist, or the caller is not allowed to know that it does."""


class Unread(Exception):
    """The resource cannot be read: `reason` says why, and `fix` what to do about it."""

    def __init__(self, reason: str, fix: str) -> None:
        self.reason, self.fix = reason, fix
        super().__init__(reason)


class Google:
    """Reads resources. Each method names the permission that it needs, for callers who do not have it.

    Raises Missing, Unread, and BadInput if Google does not accept the credentials. After a temporary error it repeats
    the request, three times at most; each attempt ends after 30 seconds. The project pays for the requests.
    """

    def __init__(self, project: str, apis: str) -> None:
        self._project, self._apis = project, apis
        self._session = AuthorizedSession(_credentials(project, apis))  # type: ignore[no-untyped-call]
        again = Retry(
            total=_MOST_ATTEMPTS - 1,
            backoff_factor=0.5,
            status_forcelist=_REPEATED,
            allowed_methods=None,
            raise_on_status=False,
            retry_after_max=_LONGEST_WAIT_SECONDS,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=again, pool_maxsize=AT_ONCE))

    def get(self, service: str, path: str, permission: str, **params: str) -> Document:
        """Return a resource as the API writes it."""
        return self._document("GET", service, path, permission, params=params)

    def ask(self, service: str, path: str, permission: str, body: Document | None = None, **params: str) -> Document:
        """Return the answer to a POST that reads, such as getIamPolicy."""
        return self._document("POST", service, path, permission, json=body, params=params)

    def all(self, service: str, path: str, permission: str, items: str, **params: str) -> Iterator[Document]:
        """Yield the resources of all pages; `items` is the field that has those of a page."""
        token = ""
        for _ in range(_MOST_PAGES):
            page = self.get(service, path, permission, **params, **({"pageToken": token} if token else {}))
            yield from page.get(items, ())
            token = page.get("nextPageToken", "")
            if not token:
                return
        raise Unread(f"{service} has more than {_MOST_PAGES} pages of {items}", "look there by hand")

    def _document(self, method: str, service: str, path: str, permission: str, **request: Any) -> Document:
        address = f"{self._apis.replace('{service}', service)}/{quote(path, safe='/:%')}"
        try:
            answer: requests.Response = self._session.request(  # type: ignore[no-untyped-call]
                method, address, timeout=_TIMEOUT_SECONDS, **request
            )
        except TransportError as error:
            raise Unread(
                f"Google's token service does not answer: {_words(error)}", "run the command again"
            ) from None
        except GoogleAuthError as error:
            raise BadInput(f"Google does not accept your credentials ({_words(error)}): {_LOGIN}") from None
        except requests.RequestException as error:
            raise Unread(f"{service} does not answer: {_words(error)}", "run the command again") from None
        if answer.ok:
            found: Document = _json(answer)
            return found
        raise _refusal(answer, service, self._project, permission)


def _credentials(project: str, apis: str) -> Any:
    if apis.startswith("http://"):  # a stand-in on this machine
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    try:
        found, _ = google.auth.default(scopes=[_SCOPE], quota_project_id=project)
    except DefaultCredentialsError as error:
        raise BadInput(f"this machine has no credentials for Google Cloud ({_words(error)}): {_LOGIN}") from None
    return found


def _refusal(answer: requests.Response, service: str, project: str, permission: str) -> Exception:
    error = _json(answer).get("error", {})
    message, status = str(error.get("message", answer.reason)), answer.status_code
    info: dict[str, Any] = next((each for each in error.get("details", ()) if each.get("reason")), {})
    if status == 401:
        return BadInput(f"Google does not accept your credentials ({message}): {_LOGIN}")
    if status == 404:
        return Missing(message)
    if info.get("reason") == "SERVICE_DISABLED":
        host = info.get("metadata", {}).get("service", f"{service}.googleapis.com")
        return Unread(f"the API {host} is disabled", f"gcloud services enable {host} --project={project}")
    if info.get("reason") == "USER_PROJECT_DENIED":
        permission, message = "serviceusage.services.use", ""
    if status == 403:
        lacking = info.get("metadata", {}).get("permission") or _named(message) or permission
        fix = f"ask for a role with it on project {project}, such as roles/viewer with roles/iam.securityReviewer"
        return Unread(f"you lack the permission {lacking}", fix)
    return Unread(f"{service} answered {status}: {_words(message)}", "run the command again")


def _named(message: str) -> str:
    found = _DENIED.search(message)
    return next(filter(None, found.groups()), "") if found else ""


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(error: object) -> str:
    said = error.args[0] if isinstance(error, GoogleAuthError) and error.args else error  # it prints a tuple of all
    return " ".join(str(said).split())[:300]
