"""What a function gets of a request that Cloud Run lets through, and who is not let through."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from local.standins.cloud_run import Front
from local.standins.cloud_tasks.oidc import OidcKey
from tests.grants import deployed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

URL = "https://tminus-send-shard-1.europe-west1.run.app"
CALLER = "tminus-task-caller@demo.iam.gserviceaccount.com"
FIRST, SECOND = "X-Serverless-Authorization", "Authorization"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> OidcKey:
    return OidcKey(tmp_path_factory.mktemp("key") / "oidc.pem")


@pytest.fixture
def reached() -> list[dict[str, str]]:
    """The headers of the requests that reached the function."""
    return []


@pytest.fixture
def client(key: OidcKey, reached: list[dict[str, str]]) -> Client:
    def function(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        reached.append(dict(Request(environ).headers))
        return Response("done")(environ, start_response)

    return Client(Front(deployed("demo"), key.claims).before(function, "tminus-send-shard", URL))


def bearer(key: OidcKey, email: str = CALLER, audience: str = URL) -> str:
    return f"Bearer {key.token(email, audience)}"


def test_the_caller_passes_without_its_signature(client: Client, key: OidcKey, reached: list[dict[str, str]]) -> None:
    sent = bearer(key)
    assert client.post("/", headers={SECOND: sent}).status_code == 200
    head, _, signature = reached[0][SECOND].rpartition(".")
    assert (head, signature) == (sent.rpartition(".")[0], "SIGNATURE_REMOVED_BY_GOOGLE")


def test_with_the_second_header_the_first_one_passes_unchecked(
    client: Client, key: OidcKey, reached: list[dict[str, str]]
) -> None:
    forged = "Bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE"
    assert client.post("/", headers={FIRST: bearer(key), SECOND: forged}).status_code == 200
    assert reached[0][SECOND] == forged
    assert reached[0][FIRST].endswith(".SIGNATURE_REMOVED_BY_GOOGLE")
    assert client.post("/", headers={FIRST: forged, SECOND: bearer(key)}).status_code == 401


def test_others_do_not_reach_the_function(
    client: Client, key: OidcKey, reached: list[dict[str, str]], tmp_path: Path
) -> None:
    stranger = OidcKey(tmp_path / "stranger.pem")
    refusals = {
        None: 403,
        "Basic eDp5": 403,
        "Bearer ": 403,
        "Bearer nonsense": 401,
        bearer(stranger): 401,
        bearer(key, audience="https://tminus-launch-1.europe-west1.run.app"): 401,
        bearer(key, email="tminus-scheduler-caller@demo.iam.gserviceaccount.com"): 403,
        bearer(key).rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE": 401,
    }
    for sent, status in refusals.items():
        headers = {} if sent is None else {SECOND: sent}
        assert client.post("/", headers=headers).status_code == status, sent
    assert reached == []
