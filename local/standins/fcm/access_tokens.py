"""The access tokens that the fake issues and checks."""

from dataclasses import dataclass

from local.standins.fcm.answer import Answer
from local.standins.fcm.answers import unauthenticated

_EXPIRED = unauthenticated("ACCESS_TOKEN_EXPIRED")
_UNKNOWN = unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED")
_MISSING = unauthenticated("CREDENTIALS_MISSING")


@dataclass(frozen=True, kw_only=True)
class _Issued:
    number: int
    expires_at: float


class AccessTokens:
    """Issues tokens, numbered from 1. Instants are seconds of the server's event loop."""

    def __init__(self, *, lifetime_seconds: int, accept_any: bool) -> None:
        self.lifetime_seconds = lifetime_seconds
        self._accept_any = accept_any
        self._by_header: dict[str, _Issued] = {}
        self._revoked = 0

    @property
    def issued(self) -> int:
        """How many tokens were issued."""
        return len(self._by_header)

    def issue(self, now: float) -> str:
        """Return a new token."""
        number = self.issued + 1
        text = f"ya29.fake-access-token-{number}"
        self._by_header[f"Bearer {text}"] = _Issued(number=number, expires_at=now + self.lifetime_seconds)
        return text

    def revoke(self) -> None:
        """Expire all tokens issued so far."""
        self._revoked = self.issued

    def number(self, authorization: str) -> int | None:
        """Return the number of the token in an authorization header; None if it was not issued here."""
        issued = self._by_header.get(authorization)
        return issued.number if issued else None

    def refusal(self, authorization: str, now: float) -> Answer | None:
        """Return a 401 for an invalid authorization header, None for a valid one."""
        issued = self._by_header.get(authorization)
        if issued:
            return None if now < issued.expires_at and issued.number > self._revoked else _EXPIRED
        if not authorization.startswith("Bearer "):
            return _MISSING
        return None if self._accept_any else _UNKNOWN
