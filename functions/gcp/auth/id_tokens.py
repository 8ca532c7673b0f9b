"""Authenticate callers by ID tokens of Google, and by assertions of Identity-Aware Proxy.

Their formats: developers.google.com/identity/openid-connect/openid-connect and
cloud.google.com/iap/docs/signed-headers-howto.

google-auth quotes the token in some of its errors, so none of them is passed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.auth import jwt

from functions.domain.errors import Forbidden, Misconfigured, Unauthenticated
from functions.domain.roles import Caller, Service
from functions.gcp.auth.certificates import Certificates
from functions.gcp.clock import SystemClock
from functions.settings import CloudSettings

_GOOGLE = ("https://accounts.google.com", "accounts.google.com")
_PROXY = "https://cloud.google.com/iap"
_SCHEME = "bearer"
_ALGORITHM = "RS256"
_REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"
_LONGEST_TOKEN = 8_192
_CLOCK_SKEW_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class _Token:
    """A token as it was sent. Do not trust any part of it before it is verified."""

    raw: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def signature_removed(self) -> bool:
        return self.raw.endswith(f".{_REMOVED}")


class IdTokens:
    """Implements Callers. The audience of a token is the function's address."""

    def __init__(self, settings: CloudSettings, clock: SystemClock) -> None:
        self._settings, self._clock = settings, clock
        self._google = Certificates(settings.certs_url, clock.seconds)
        self._proxy = Certificates(settings.console.keys_url, clock.seconds)

    def check_service(
        self, authorization: str | None, service: Service, function: str, passed_through: bool = False
    ) -> None:
        """Raise Forbidden unless the caller is the service's account.

        A removed signature counts only where Cloud Run has checked this very header. If it was `passed_through`,
        anyone can have written the words that stand for a removed signature.
        """
        token = _read(authorization)
        if token.claims.get("iss") not in _GOOGLE:
            raise Unauthenticated("the token is not issued by Google")
        self._check_claims(token, self._settings.url_of(function))
        trusted = self._settings.signatures_removed and not passed_through
        if not (trusted and token.signature_removed):
            _check_signature(token, self._google)
        email = _email(token)
        if email != self._account_of(service):
            raise Forbidden(f"{function} is called by the account of {service} only, not by {_shown(email)}")

    def person(self, authorization: str | None, function: str) -> Caller:
        """Return the program that calls a function, with its role; Forbidden without a role."""
        token = _read(authorization)
        if token.claims.get("iss") not in _GOOGLE:
            raise Unauthenticated("the token is not issued by Google")
        self._check_claims(token, self._settings.url_of(function))
        _check_signature(token, self._google)
        email = _email(token)
        role = self._settings.api_callers.get(email)
        if role is None:
            raise Forbidden(f"API_CALLERS does not name {_shown(email)}")
        return Caller(name=email, role=role)

    def visitor(self, assertion: str | None) -> Caller:
        """Return the person that Identity-Aware Proxy asserts, with the role from CONSOLE_USERS."""
        email = self._asserted(assertion)
        role = self._settings.console.users.get(email.lower())
        if role is None:
            raise Forbidden(f"CONSOLE_USERS does not name {_shown(email)}")
        return Caller(name=email, role=role)

    def asserted(self, assertion: str | None) -> str:
        """Return the e-mail address that Identity-Aware Proxy asserts; empty without a valid assertion."""
        try:
            return self._asserted(assertion) if assertion else ""
        except (Unauthenticated, Forbidden, Misconfigured):
            return ""

    def _asserted(self, assertion: str | None) -> str:
        console = self._settings.console
        if not console.audience:
            raise Misconfigured("IAP_AUDIENCE", "must be set for the console: /projects/.../services/tminus-console")
        if not assertion:
            raise Unauthenticated("the request has not come through Identity-Aware Proxy")
        token = _taken_apart(assertion)
        if token.claims.get("iss") != _PROXY:
            raise Unauthenticated("the assertion is not Identity-Aware Proxy's")
        self._check_claims(token, console.audience)
        _check_signature(token, self._proxy, algorithm="ES256")
        email = token.claims.get("email")
        if not isinstance(email, str) or not email:
            raise Forbidden("the assertion names no e-mail address")
        return email

    def _account_of(self, service: Service) -> str:
        return self._settings.task_caller if service is Service.TASKS else self._settings.scheduler_caller

    def _check_claims(self, token: _Token, audience: str) -> None:
        """Raise Unauthenticated unless a token is valid at this time for this audience.

        The signature is checked elsewhere.
        """
        now = self._clock.now().timestamp()
        issued_at, expires_at = token.claims.get("iat"), token.claims.get("exp")
        begins_at = token.claims.get("nbf", issued_at)
        if type(issued_at) is not int or type(expires_at) is not int or type(begins_at) is not int:
            raise Unauthenticated("the token does not say how long it holds")
        if now > expires_at + _CLOCK_SKEW_SECONDS:
            raise Unauthenticated("the token has expired")
        if now < max(issued_at, begins_at) - _CLOCK_SKEW_SECONDS:
            raise Unauthenticated("the token is from the future")
        if token.claims.get("aud") != audience:
            raise Unauthenticated(f"the token is not issued for {audience}")


def _read(authorization: str | None) -> _Token:
    """Parse a token; Unauthenticated if there is none, or it is malformed."""
    scheme, _, raw = (authorization or "").partition(" ")
    if scheme.lower() != _SCHEME or not raw:
        raise Unauthenticated("the request carries no ID token: its header Authorization must be Bearer and a token")
    return _taken_apart(raw)


def _taken_apart(raw: str) -> _Token:
    if len(raw) > _LONGEST_TOKEN:
        raise Unauthenticated(f"the token has {len(raw):,} characters; no ID token has more than {_LONGEST_TOKEN:,}")
    try:
        header: Mapping[str, Any] = jwt.decode_header(raw)  # type: ignore[no-untyped-call]
        claims: Mapping[str, Any] = jwt.decode(raw, verify=False)  # type: ignore[no-untyped-call]
    except (ValueError, RecursionError):
        raise Unauthenticated("the token cannot be read") from None
    return _Token(raw=raw, header=header, claims=claims)


def _check_signature(token: _Token, certificates: Certificates, *, algorithm: str = _ALGORITHM) -> None:
    """Raise Unauthenticated unless one of the certificates' keys signed the token."""
    if token.signature_removed:
        raise Unauthenticated("Cloud Run has removed the token's signature; see OIDC_SIGNATURES")
    key_id = token.header.get("kid")
    if token.header.get("alg") != algorithm or not isinstance(key_id, str):
        raise Unauthenticated(f"the token is not signed with {algorithm} by a key that it names")
    certificate = certificates.of(key_id)
    if certificate is None:
        raise Unauthenticated("the token is signed by an unknown key")
    try:
        jwt.decode(token.raw, {key_id: certificate}, clock_skew_in_seconds=_CLOCK_SKEW_SECONDS)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError):
        raise Unauthenticated("the token's signature is wrong") from None


def _email(token: _Token) -> str:
    """Return the e-mail address in a genuine token; Forbidden if the address is not verified."""
    email = token.claims.get("email")
    if not isinstance(email, str) or token.claims.get("email_verified") is not True:
        raise Forbidden("the token's owner has no verified e-mail address")
    return email


def _shown(email: str) -> str:
    return f"an account of {email.rpartition('@')[2]}"
