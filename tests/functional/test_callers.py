"""Who may call a function: only its own service, and of people only those whose role is high enough."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO, IOBase, RawIOBase
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.test import Client, TestResponse

from functions import bootstrap, logs
from functions.domain.errors import Misconfigured
from functions.domain.roles import Role
from functions.gcp.auth.id_tokens import IdTokens
from functions.gcp.clock import SystemClock
from functions.ports import Ports
from functions.ports.people import Callers
from functions.settings import CloudSettings
from functions.settings.read import read_settings
from local.embedded.clock import RealClock
from local.runtime.functions import load_functions
from local.runtime.serving import CALLED_BY_SERVICES, SOURCE
from local.standins.cloud_tasks.certificates import CertificateServer
from local.standins.cloud_tasks.oidc import OidcKey
from tests.factories import executions_of
from tests.functional.conftest import START_AT, Lab

MakeLab = Callable[..., Lab]
TASKS, SCHEDULER = "tasks@kicks.iam.gserviceaccount.com", "scheduler@kicks.iam.gserviceaccount.com"
ROBOT = "robot@kicks.iam.gserviceaccount.com"
GOOGLE, FIREBASE = "https://accounts.google.com", "https://securetoken.google.com/kicks-prod"
ENVIRONMENT = {
    "TMINUS_PLATFORM": "gcp",
    "GOOGLE_CLOUD_PROJECT": "kicks-prod",
    "GOOGLE_CLOUD_LOCATION": "europe-west1",
    "AUDIENCE_BUCKET": "kicks-audiences",
    "FUNCTION_URL": "https://tminus-{function}.example",
    "TASK_CALLER": TASKS,
    "SCHEDULER_CALLER": SCHEDULER,
    "PUSH_SENDER": "fcm",
    "API_CALLERS": f"{ROBOT}:operator, reader@kicks.iam.gserviceaccount.com:viewer",
}
SCHEDULED = ("launch", "reconcile")


class Signer:
    """Signs whatever it is told to, with a key of its own."""

    def __init__(self, path: Path) -> None:
        self.certificates = OidcKey(path).certificates()
        [self.key_id] = self.certificates
        self.private = path.read_text()

    @property
    def public(self) -> bytes:
        certificate = x509.load_pem_x509_certificate(self.certificates[self.key_id].encode())
        return certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self.private, algorithm="RS256", headers={"kid": self.key_id})


@dataclass(frozen=True, kw_only=True)
class Issuers:
    """Google, and an unknown issuer."""

    google: Signer
    stranger: Signer
    environment: Mapping[str, str]

    def cloud(self, **environment: str) -> CloudSettings:
        cloud = read_settings({**self.environment, **environment}).cloud
        assert cloud is not None
        return cloud

    def callers(self, **environment: str) -> Callers:
        return IdTokens(self.cloud(**environment), SystemClock())


@pytest.fixture(scope="module")
def issuers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuers]:
    folder = tmp_path_factory.mktemp("keys")
    google, stranger = (Signer(folder / f"{name}.pem") for name in ("google", "stranger"))
    with CertificateServer(lambda: google.certificates) as ours:
        yield Issuers(google=google, stranger=stranger, environment=ENVIRONMENT | {"OIDC_CERTS_URL": ours.url})


def now() -> int:
    return int(RealClock().now().timestamp())


def of_service(function: str, **changes: Any) -> dict[str, Any]:
    """The claims of the token with which a function is called."""
    return {
        "iss": GOOGLE,
        "aud": f"https://tminus-{function.replace('_', '-')}.example",
        "sub": "1234",
        "email": SCHEDULER if function in SCHEDULED else TASKS,
        "email_verified": True,
        "iat": now() - 60,
        "exp": now() + 3540,
    } | changes


def of_user(**changes: Any) -> dict[str, Any]:
    """The claims of a user of the app, who has signed in to the Firebase project, and gives themselves a role."""
    claims = {"iss": FIREBASE, "aud": "kicks-prod", "sub": "uid", "role": "admin", "email": "zoë@example.com"}
    return of_service("api") | claims | changes


def without_signature(token: str) -> str:
    return f"{token.rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"


def deep(depth: int) -> str:
    """A token whose claims are nested so deeply that no parser follows."""
    part = jwt.utils.base64url_encode(b"[" * depth).decode()
    return f"{part}.{part}.AAAA"


def call(lab: Lab, function: str, authorization: str | None, **more: str) -> Any:
    headers = {"X-CloudTasks-TaskName": "t", "X-CloudScheduler": "true", **more}
    headers["X-CloudScheduler-ScheduleTime"] = f"{START_AT:%Y-%m-%dT%H:%M:%SZ}"
    if authorization is not None:
        headers["Authorization"] = authorization
    body = {"recipeId": "welcome", "executionId": lab.id, "push": 1, "shard": 0, "generation": 0}
    return lab.runtime.call(function, headers, body)


Forge = Callable[[Issuers], str | None]


def claims(**changes: Any) -> Forge:
    return lambda issuers: f"Bearer {issuers.google.sign(of_service('send_push', **changes))}"


def without_key_id(issuers: Issuers) -> str:
    return jwt.encode(of_service("send_push"), issuers.google.private, algorithm="RS256")


def with_public_key_as_secret(issuers: Issuers) -> str:
    header, payload = ({"alg": "HS256", "kid": issuers.google.key_id}, of_service("send_push"))
    parts = [jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (header, payload)]
    secret = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    parts.append(jwt.utils.base64url_encode(secret.sign(b".".join(parts), issuers.google.public)))
    return b".".join(parts).decode()


def unsigned(issuers: Issuers) -> str:
    headers = {"kid": issuers.google.key_id}
    return jwt.encode(of_service("send_push"), "", algorithm="none", headers=headers)


def signed_by_a_stranger_as_google(issuers: Issuers) -> str:
    headers = {"kid": issuers.google.key_id}
    return jwt.encode(of_service("send_push"), issuers.stranger.private, algorithm="RS256", headers=headers)


def with_other_claims(issuers: Issuers) -> str:
    """A genuine token whose claims somebody has replaced."""
    header, _, signature = issuers.google.sign(of_service("send_push", email="x@y.z")).split(".")
    return f"{header}.{issuers.google.sign(of_service('send_push')).split('.')[1]}.{signature}"


REFUSED: dict[str, tuple[Forge, int, str]] = {
    "no header": (lambda _: None, 401, "carries no ID token"),
    "an empty header": (lambda _: "", 401, "carries no ID token"),
    "no scheme": (lambda i: i.google.sign(of_service("send_push")), 401, "carries no ID token"),
    "another scheme": (lambda i: f"Basic {i.google.sign(of_service('send_push'))}", 401, "carries no ID token"),
    "no token": (lambda _: "Bearer ", 401, "carries no ID token"),
    "garbage": (lambda _: "Bearer garbage", 401, "cannot be read"),
    "three parts of garbage": (lambda _: "Bearer a.b.c", 401, "cannot be read"),
    "letters that no token has": (lambda _: "Bearer ä.ö.ü", 401, "cannot be read"),
    "nested too deeply": (lambda _: f"Bearer {deep(3_000)}", 401, "cannot be read"),
    "100 KB": (lambda _: f"Bearer {'a' * 100_000}", 401, "the token has 100,000 characters"),
    "expired": (claims(iat=now() - 7_200, exp=now() - 3_600), 401, "has expired"),
    "from the future": (claims(iat=now() + 86_400, exp=now() + 90_000), 401, "is from the future"),
    "not yet valid": (claims(nbf=now() + 3_000), 401, "is from the future"),
    "a beginning that is no number": (claims(nbf="soon"), 401, "how long it holds"),
    "no expiry": (claims(exp=None), 401, "how long it holds"),
    "an expiry that is no number": (claims(exp=float("nan")), 401, "how long it holds"),
    "another function": (claims(aud="https://tminus-send-shard.example"), 401, "is not issued for"),
    "a longer audience": (claims(aud="https://tminus-send-push.example/"), 401, "is not issued for"),
    "several audiences": (claims(aud=["https://tminus-send-push.example"]), 401, "is not issued for"),
    "another issuer": (claims(iss="https://accounts.google.com.evil.example"), 401, "not issued by Google"),
    "a user's token": (lambda i: f"Bearer {i.google.sign(of_user())}", 401, "not issued by Google"),
    "an unknown key": (lambda i: f"Bearer {i.stranger.sign(of_service('send_push'))}", 401, "an unknown key"),
    "a stranger's key": (lambda i: f"Bearer {signed_by_a_stranger_as_google(i)}", 401, "signature is wrong"),
    "other claims": (lambda i: f"Bearer {with_other_claims(i)}", 401, "signature is wrong"),
    "alg none": (lambda i: f"Bearer {unsigned(i)}", 401, "not signed with RS256"),
    "alg HS256": (lambda i: f"Bearer {with_public_key_as_secret(i)}", 401, "not signed with RS256"),
    "no key id": (lambda i: f"Bearer {without_key_id(i)}", 401, "not signed with RS256"),
    "a removed signature": (
        lambda i: f"Bearer {without_signature(i.google.sign(of_service('send_push')))}",
        401,
        "removed the token's signature",
    ),
    "another account": (claims(email="mallory@evil.example"), 403, "not by an account of evil.example"),
    "the scheduler's account": (claims(email=SCHEDULER), 403, "not by an account of kicks"),
    "an unverified address": (claims(email_verified=False), 403, "no verified e-mail address"),
    "an address said to be verified": (claims(email_verified="true"), 403, "no verified e-mail address"),
    "no address": (claims(email=None), 403, "no verified e-mail address"),
}


@pytest.fixture
def guarded(make_lab: MakeLab, issuers: Issuers) -> Lab:
    """A laboratory whose functions look at their callers as on Google Cloud."""
    lab = make_lab(wrap=lambda ports: replace(ports, callers=issuers.callers()))
    lab.save()
    lab.clock.advance_to(START_AT)
    return lab


@pytest.mark.slow
@pytest.mark.parametrize("case", REFUSED)
def test_a_token_that_does_not_hold_is_refused_and_the_log_says_why_without_it(
    case: str, guarded: Lab, issuers: Issuers, tmp_path: Path
) -> None:
    forge, status, why = REFUSED[case]
    authorization = forge(issuers)
    with logs.written_to(tmp_path / "log"):
        response = call(guarded, "send_push", authorization)
    assert (response.status, json.loads(response.text)["result"]) == (status, "refused")
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    written = (tmp_path / "log").read_text()
    line = json.loads(written)
    assert why in line["message"]
    assert (line["severity"], line["status"], line["function"]) == ("WARNING", status, "send_push")
    for part in (authorization or "").removeprefix("Bearer ").split("."):
        assert len(part) < 8 or part == "SIGNATURE_REMOVED_BY_GOOGLE" or part not in written + response.text
    assert "mallory" not in written + response.text


@pytest.mark.slow
@pytest.mark.parametrize("function", CALLED_BY_SERVICES)
@pytest.mark.parametrize("issuer", [GOOGLE, "accounts.google.com"])
def test_every_function_lets_in_its_own_service(
    function: str, issuer: str, guarded: Lab, issuers: Issuers, tmp_path: Path
) -> None:
    token = issuers.google.sign(of_service(function, iss=issuer))
    with logs.written_to(tmp_path / "log"):
        response = call(guarded, function, f"Bearer {token}")
    assert response.status == 200, response.text
    assert token.split(".")[1] not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("function", CALLED_BY_SERVICES)
def test_every_function_turns_away_the_other_service_and_everybody_without_a_token(
    function: str, guarded: Lab, issuers: Issuers
) -> None:
    other = TASKS if function in SCHEDULED else SCHEDULER
    token = issuers.google.sign(of_service(function, email=other))
    assert call(guarded, function, f"Bearer {token}").status == 403
    assert call(guarded, function, None).status == 401
    assert executions_of(guarded.ports, "welcome") == []


@pytest.mark.parametrize("function", CALLED_BY_SERVICES)
def test_on_google_cloud_no_function_does_anything_without_a_token(function: str) -> None:
    """With no more settings than a deployment needs, and nothing behind the functions that could answer."""
    ports = bootstrap.google_cloud(read_settings(ENVIRONMENT), SystemClock())
    [app] = load_functions([function], SOURCE).values()
    with bootstrap.bind(ports):
        assert Client(app).post("/", json={"executionId": "x"}).status_code == 401


def test_a_token_of_the_emulators_is_one_of_googles(guarded: Lab, tmp_path: Path) -> None:
    key = OidcKey(tmp_path / "key.pem")
    with CertificateServer(key.certificates) as server:
        cloud = read_settings(ENVIRONMENT | {"OIDC_CERTS_URL": server.url}).cloud
        assert cloud is not None
        with bootstrap.bind(replace(guarded.ports, callers=IdTokens(cloud, SystemClock()))):
            token = key.token(SCHEDULER, cloud.url_of("reconcile"))
            headers = {"Authorization": f"Bearer {token}", "X-CloudScheduler": "true"}
            [app] = load_functions(["reconcile"], SOURCE).values()
            assert Client(app).post("/", headers=headers).status_code == 200


def test_without_certificates_the_task_is_delivered_again(make_lab: MakeLab, issuers: Issuers) -> None:
    with CertificateServer(dict) as gone:
        pass
    callers = issuers.callers(OIDC_CERTS_URL=gone.url)
    lab = make_lab(wrap=lambda ports: replace(ports, callers=callers))
    token = issuers.google.sign(of_service("send_push"))
    assert [call(lab, "send_push", f"Bearer {token}").status for _ in range(2)] == [503, 503]
    assert call(lab, "send_push", "Bearer garbage").status == 401


@pytest.fixture
def behind_cloud_run(make_lab: MakeLab, issuers: Issuers) -> Lab:
    """Cloud Run has verified the callers' tokens, and removed the signatures."""
    callers = issuers.callers(OIDC_SIGNATURES="removed")
    lab = make_lab(wrap=lambda ports: replace(ports, callers=callers))
    lab.save()
    lab.clock.advance_to(START_AT)
    return lab


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"email": ROBOT}, 403),
        ({"email_verified": False}, 403),
        ({"aud": "https://tminus-finish.example"}, 401),
        ({"exp": now() - 3_600}, 401),
        ({"iss": "https://evil.example"}, 401),
    ],
)
def test_where_cloud_run_removes_signatures_everything_else_still_has_to_hold(
    changes: dict[str, Any], status: int, behind_cloud_run: Lab, issuers: Issuers
) -> None:
    token = without_signature(issuers.google.sign(of_service("launch", **changes)))
    assert call(behind_cloud_run, "launch", f"Bearer {token}").status == status


def test_where_cloud_run_removes_signatures_one_that_is_there_is_verified(
    behind_cloud_run: Lab, issuers: Issuers
) -> None:
    genuine, forged = (signer.sign(of_service("launch")) for signer in (issuers.google, issuers.stranger))
    assert call(behind_cloud_run, "launch", f"Bearer {genuine}").status == 200
    assert call(behind_cloud_run, "launch", f"Bearer {forged}").status == 401
    assert call(behind_cloud_run, "launch", f"Bearer {genuine.rpartition('.')[0]}.").status == 401


@pytest.mark.slow
@pytest.mark.parametrize("checked", ["Bearer a.b.SIGNATURE_REMOVED_BY_GOOGLE", "Bearer garbage", ""])
@pytest.mark.parametrize("function", CALLED_BY_SERVICES)
def test_where_cloud_run_checked_another_header_this_one_needs_its_own_signature(
    function: str, checked: str, behind_cloud_run: Lab, issuers: Issuers
) -> None:
    """Any caller that Cloud Run lets in could write the words for a removed signature into Authorization."""
    genuine, forged = issuers.google.sign(of_service(function)), issuers.stranger.sign(of_service(function))
    other = {"X-Serverless-Authorization": checked}
    assert call(behind_cloud_run, function, f"Bearer {without_signature(forged)}", **other).status == 401
    assert call(behind_cloud_run, function, f"Bearer {without_signature(genuine)}", **other).status == 401
    assert call(behind_cloud_run, function, f"Bearer {genuine}", **other).status == 200


class Body(RawIOBase):
    """A body without an end that counts what is read of it."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.read_bytes += len(buffer)
        buffer[:] = b" " * len(buffer)
        return len(buffer)


def post(ports: Ports, function: str, body: IOBase, token: str | None, **environment: Any) -> TestResponse:
    [app] = load_functions([function], SOURCE).values()
    headers = {"X-CloudTasks-TaskName": "t", "X-CloudScheduler": "true"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with bootstrap.bind(ports):
        return Client(app).post("/", headers=headers, environ_overrides={"wsgi.input": body, **environment})


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
HUGE = {"CONTENT_LENGTH": str(10**9)}


@pytest.mark.slow
@pytest.mark.parametrize("function", CALLED_BY_SERVICES)
@pytest.mark.parametrize(("environment", "most"), [(CHUNKED, 100_001), (HUGE, 0)])
def test_a_body_is_read_no_further_than_its_limit(
    environment: dict[str, Any], most: int, function: str, guarded: Lab, issuers: Issuers
) -> None:
    body, token = Body(), issuers.google.sign(of_service(function))
    assert post(guarded.ports, function, body, token, **environment).status_code == 413
    assert body.read_bytes <= most


@pytest.mark.parametrize("size", [9_999, 10_000, 10_001, 10_002])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_of_the_limit_is_read_and_one_byte_more_is_too_much(
    size: int, chunked: bool, guarded: Lab, issuers: Issuers
) -> None:
    environment = CHUNKED if chunked else {"CONTENT_LENGTH": str(size)}
    token = issuers.google.sign(of_service("reconcile"))
    response = post(guarded.ports, "reconcile", BytesIO(b"x" * size), token, **environment)
    assert response.status_code == (200 if size <= 10_000 else 413)


@pytest.mark.parametrize("environment", [CHUNKED, HUGE])
def test_of_a_stranger_s_body_nothing_is_read(environment: dict[str, Any], guarded: Lab) -> None:
    body = Body()
    assert post(guarded.ports, "launch", body, None, **environment).status_code == 401
    assert body.read_bytes == 0


API = """
from datetime import UTC, datetime

import functions_framework

from functions.domain.roles import Role
from functions.handlers.jobs.errors import answer
from functions.handlers.http.callers import caller


@functions_framework.http
def api(request):
    least = Role(request.args.get("least", "operator"))
    return answer(lambda: {"name": caller(request, "api", least=least).name}, lambda: datetime.now(UTC))
"""
Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(tmp_path: Path, lab: Lab, issuers: Issuers) -> Ask:
    """Ask a function that wants a person or a program whose role is high enough."""
    source = tmp_path / "api_source.py"
    source.write_text(API)
    [app] = load_functions(["api"], source).values()
    ports = replace(lab.ports, callers=issuers.callers())

    def call_api(token: str | None, least: str = "operator") -> TestResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        with bootstrap.bind(ports):
            return Client(app).get(f"/?least={least}", headers=headers)

    return call_api


def test_a_caller_is_known_by_its_address(ask: Ask, issuers: Issuers) -> None:
    assert ask(issuers.google.sign(of_service("api", email=ROBOT))).json == {"name": ROBOT}


@pytest.mark.long
def test_a_program_has_the_role_that_the_settings_give_it(ask: Ask, issuers: Issuers) -> None:
    def asks(email: str, least: str) -> int:
        return ask(issuers.google.sign(of_service("api", email=email)), least).status_code

    assert [asks(ROBOT, least) for least in ("viewer", "operator", "admin")] == [200, 200, 403]
    reader = "reader@kicks.iam.gserviceaccount.com"
    assert [asks(reader, least) for least in ("viewer", "operator")] == [200, 403]
    assert asks(TASKS, "viewer") == 403


PROGRAMS: dict[str, tuple[Callable[[Issuers], str | None], int]] = {
    "no caller": (lambda _: None, 401),
    "garbage": (lambda _: "garbage", 401),
    "a user of the app": (lambda i: i.google.sign(of_user()), 401),
    "a program that another has signed": (lambda i: i.stranger.sign(of_service("api", email=ROBOT)), 401),
    "a program that calls another function": (lambda i: i.google.sign(of_service("launch", email=ROBOT)), 401),
    "a program without a signature": (
        lambda i: without_signature(i.google.sign(of_service("api", email=ROBOT))),
        401,
    ),
    "an unverified address": (lambda i: i.google.sign(of_service("api", email=ROBOT, email_verified=False)), 403),
    "a program that is not named": (lambda i: i.google.sign(of_service("api", email="x@evil.example")), 403),
    "a claim of a role": (lambda i: i.google.sign(of_service("api", email="x@evil.example", role="admin")), 403),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_who_is_not_known_or_has_no_role_is_turned_away(case: str, ask: Ask, issuers: Issuers) -> None:
    forge, status = PROGRAMS[case]
    response = ask(forge(issuers), "viewer")
    assert (response.status_code, (response.json or {})["result"]) == (status, "refused")


def test_a_removed_signature_never_makes_a_program(issuers: Issuers) -> None:
    """The API's callers send the token in two headers, and Cloud Run passes this one on as it was written."""
    callers = issuers.callers(OIDC_SIGNATURES="removed")
    token = issuers.google.sign(of_service("api", email=ROBOT))
    assert callers.person(f"Bearer {token}", "api").role is Role.OPERATOR
    with pytest.raises(Exception, match="removed the token's signature"):
        callers.person(f"Bearer {without_signature(token)}", "api")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("robot@kicks.example", "must be EMAIL:ROLE"),
        ("robot@kicks.example:owner", "must be EMAIL:ROLE"),
        ("robot:admin", "must be EMAIL:ROLE"),
        ("a@b.example:admin,a@b.example:viewer", "a@b.example has two roles"),
    ],
)
def test_programs_that_are_named_wrongly_are_refused_by_the_name_of_the_setting(value: str, reason: str) -> None:
    with pytest.raises(Misconfigured, match=reason) as refused:
        read_settings(ENVIRONMENT | {"API_CALLERS": value})
    assert refused.value.setting == "API_CALLERS"


def test_signatures_are_verified_unless_a_deployment_says_otherwise(issuers: Issuers) -> None:
    assert not issuers.cloud().signatures_removed
    with pytest.raises(Misconfigured, match="must be one of verify, removed"):
        issuers.cloud(OIDC_SIGNATURES="none")


def test_on_a_laptop_callers_are_not_authenticated(lab: Lab) -> None:
    lab.clock.advance_to(START_AT)
    assert lab.launch().status == 200
    assert lab.ports.callers.person(None, "api").role is Role.ADMIN
