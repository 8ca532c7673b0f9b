"""Apps and browsers reach nothing in Firestore: the rules that Terraform deploys refuse every request of theirs."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.terraform import rules

OWNER = "owner"
"""The emulator's token for a service account, which rules do not concern."""
DOCUMENT = {"fields": {"name": {"stringValue": "👟"}}}
FOR_USERS = """
rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    match /{document=**} {
      allow read: if request.auth != null;
    }
  }
}
"""


@pytest.fixture(scope="module")
def closed(firestore_with: Callable[[str], str]) -> str:
    """Firestore with the deployed rules, and a document in it."""
    url = firestore_with(rules())
    written = ask("PATCH", f"{url}/recipes/daily", OWNER, DOCUMENT)
    assert written.status_code == 200, written.text
    return url


@pytest.fixture(scope="module")
def user(authentication: str) -> str:
    """The token of a user who has just registered, as an app gets it."""
    account = {"email": "zoe@example.com", "password": "four-44", "returnSecureToken": True}
    url = f"{authentication}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=any"
    return str(httpx.post(url, json=account, timeout=60).raise_for_status().json()["idToken"])


def ask(method: str, url: str, token: str | None, body: dict[str, Any] | None = None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.request(method, url, headers=headers, json=body, timeout=60)


@pytest.mark.parametrize(
    ("method", "place", "body"),
    [
        ("GET", "/recipes/daily", None),
        ("GET", "/recipes", None),
        ("GET", "/executions/e/shards", None),
        ("POST", ":runQuery", {"structuredQuery": {"from": [{"collectionId": "recipes", "allDescendants": True}]}}),
        ("POST", "/recipes?documentId=mine", DOCUMENT),
        ("PATCH", "/recipes/daily", DOCUMENT),
        ("PATCH", "/users/zoe", DOCUMENT),
        ("DELETE", "/recipes/daily", None),
    ],
)
@pytest.mark.parametrize("signed_in", [True, False], ids=["with a token", "without a token"])
def test_a_client_is_refused_everything(
    closed: str, user: str, method: str, place: str, body: dict[str, Any] | None, signed_in: bool
) -> None:
    answer = ask(method, closed + place, user if signed_in else None, body)
    assert answer.status_code == 403, answer.text
    assert "PERMISSION_DENIED" in answer.text
    assert ask("GET", f"{closed}/recipes/daily", OWNER).json()["fields"] == DOCUMENT["fields"]


def test_the_emulator_reads_rules_and_tokens(firestore_with: Callable[[str], str], user: str) -> None:
    """Else the test above would pass with any rules."""
    url = firestore_with(FOR_USERS)
    assert ask("GET", f"{url}/recipes", user).status_code == 200
    assert ask("GET", f"{url}/recipes", None).status_code == 403


def test_rules_that_do_not_compile_are_found(firestore_with: Callable[[str], str]) -> None:
    url = firestore_with(rules().replace("if false;", "if nonsense(;"))
    answer = ask("GET", f"{url}/recipes", None)
    assert (answer.status_code, "Error compiling rules" in answer.text) == (400, True)
