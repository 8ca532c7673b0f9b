"""Who may visit the console on Google Cloud: visitors of Identity-Aware Proxy that a setting names."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.domain.errors import Forbidden, Misconfigured, Unauthenticated
from functions.domain.roles import Caller, Role
from functions.gcp.auth.id_tokens import IdTokens
from functions.gcp.clock import SystemClock
from functions.settings.read import read_settings
from local.embedded.clock import RealClock
from local.standins.cloud_tasks.certificates import CertificateServer
from tests.functional.test_callers import ENVIRONMENT

AUDIENCE = "/projects/123/locations/europe-west1/services/tminus-console"
KEY, STRANGER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

Visit = Callable[..., Caller]


def claims(**changes: Any) -> dict[str, Any]:
    now = int(RealClock().now().timestamp())
    known = {"iss": "https://cloud.google.com/iap", "aud": AUDIENCE, "email": "Ana@kicks.example", "sub": "1"}
    return {**known, "iat": now, "exp": now + 600, **changes}


def signed(told: Mapping[str, Any], *, key: Any = KEY, algorithm: str = "ES256", kid: str = "one") -> str:
    return jwt.encode(dict(told), key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    """Come with an assertion, to a console with these settings."""
    with CertificateServer(lambda: {"one": PUBLIC}) as keys:

        def come(assertion: str | None, **settings: str) -> Caller:
            users = {
                "CONSOLE_USERS": "ana@kicks.example:operator",
                "IAP_AUDIENCE": AUDIENCE,
                "IAP_KEYS_URL": keys.url,
            }
            cloud = read_settings({**ENVIRONMENT, **users, **settings}).cloud
            assert cloud is not None
            return IdTokens(cloud, SystemClock()).visitor(assertion)

        yield come


def test_a_visitor_of_the_proxy_has_the_role_that_the_setting_gives(visit: Visit) -> None:
    assert visit(signed(claims())) == Caller(name="Ana@kicks.example", role=Role.OPERATOR)


def test_a_cancel_link_knows_a_visitor_without_a_role_and_never_a_forged_one() -> None:
    with CertificateServer(lambda: {"one": PUBLIC}) as keys:
        cloud = read_settings({**ENVIRONMENT, "IAP_AUDIENCE": AUDIENCE, "IAP_KEYS_URL": keys.url}).cloud
        assert cloud is not None
        callers = IdTokens(cloud, SystemClock())
        assert callers.asserted(signed(claims(email="zoe@kicks.example"))) == "zoe@kicks.example"
        for forged in (None, "", "no.token.here", signed(claims(), key=STRANGER), signed(claims(exp=1))):
            assert callers.asserted(forged) == ""


@pytest.mark.parametrize(
    "assertion",
    [
        None,
        "",
        "no.token.here",
        signed(claims(), key=STRANGER),
        signed(claims(), kid="two"),
        signed(claims(), key="x" * 32, algorithm="HS256"),
        signed(claims(), key="", algorithm="none"),
        signed(claims(iss="https://accounts.google.com")),
        signed(claims(aud="/projects/123/locations/europe-west1/services/other")),
        signed(claims(aud=[AUDIENCE])),
        signed(claims(exp=1)),
        signed(claims(iat=9_999_999_999, exp=9_999_999_999)),
    ],
    ids=(
        "none, empty, no token, a stranger's key, an unknown key, a shared secret, unsigned, another issuer, "
        "another service, a list, expired, from the future"
    ).split(", "),
)
def test_an_invalid_assertion_is_refused(assertion: str | None, visit: Visit) -> None:
    with pytest.raises(Unauthenticated):
        visit(assertion)


@pytest.mark.parametrize("told", [{"email": "eve@kicks.example"}, {"email": None}, {"email": ["ana@kicks.example"]}])
def test_a_visitor_that_the_setting_does_not_name_is_refused(told: dict[str, Any], visit: Visit) -> None:
    with pytest.raises(Forbidden):
        visit(signed(claims(**told)))


def test_without_the_audience_every_visitor_is_refused(visit: Visit) -> None:
    with pytest.raises(Misconfigured, match="IAP_AUDIENCE"):
        visit(signed(claims()), IAP_AUDIENCE="")


def test_a_key_that_is_too_short_is_refused() -> None:
    with pytest.raises(Misconfigured, match="at least 32 characters"):
        read_settings({**ENVIRONMENT, "CONSOLE_KEY": "short"})
