"""The token of a one-click cancel link: the execution, the expiry, and a signature that only Tminus can make.

A token names one execution and expires at T-0. A cancelled execution stays cancelled, so a token works once, and no
list of used tokens is needed.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.domain.errors import TminusError

SHORTEST_SECRET = 32
"""In characters: as many as the signature has bytes, so that the secret is as hard to guess as a signature."""
_PURPOSE = b"tminus cancel link 1\n"
_TOKEN = re.compile(r"1\.([A-Za-z0-9_-]{1,300})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


class BadLink(TminusError):
    """The signature does not match: the link is forged, or was not copied completely."""


@dataclass(frozen=True, kw_only=True)
class CancelLink:
    """The content of a genuine token."""

    execution_id: str
    expires_at: datetime


def make_token(secrets: Sequence[str], execution_id: str, send_at: datetime) -> str:
    """Return the token that cancels an execution before its send instant, signed with the first of the secrets."""
    name, expires = _written(execution_id.encode()), str(int(send_at.timestamp()))
    return f"1.{name}.{expires}.{_written(_signature(secrets[0], name, expires))}"


def read_token(secrets: Sequence[str], token: str) -> CancelLink:
    """Return the content of a token, even of an expired one. Raise BadLink unless one of the secrets signed it.

    Several secrets allow rotation: links that are already sent stay valid until the old secret is removed.
    """
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise BadLink("this is not a cancel link; copy the complete link from the alert")
    name, expires, signature = found.groups()
    given = signature.encode()
    # Try every secret, so that the time taken does not reveal which one matches.
    fitting = [hmac.compare_digest(given, _written(_signature(secret, name, expires)).encode()) for secret in secrets]
    if not any(fitting):
        raise BadLink("the cancel link is not genuine; open it from the alert")
    try:
        execution_id = urlsafe_b64decode(f"{name}{'=' * (-len(name) % 4)}").decode()
        return CancelLink(execution_id=execution_id, expires_at=datetime.fromtimestamp(int(expires), UTC))
    except (Error, UnicodeDecodeError, ValueError, OverflowError, OSError) as error:
        raise BadLink("the cancel link cannot be read") from error


def _signature(secret: str, name: str, expires: str) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + f"{name}.{expires}".encode(), "sha256")


def _written(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
