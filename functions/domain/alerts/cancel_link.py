"""The token of a one-click cancel link: which execution, until when, and a signature that only we can make.

It names one execution and dies at T-0. An execution that was cancelled stays so: whatever the token is shown for
after that changes nothing, so it works once, and no list of used tokens has to be kept.
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
"""Characters; as long as the signature, in bytes, so that guessing one is no easier than guessing the other."""
_PURPOSE = b"tminus cancel link 1\n"
_TOKEN = re.compile(r"1\.([A-Za-z0-9_-]{1,300})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


class BadLink(TminusError):
    """The signature does not match: the link is forged, or was not copied whole."""


@dataclass(frozen=True, kw_only=True)
class CancelLink:
    """What a genuine token says."""

    execution_id: str
    expires_at: datetime


def make_token(secrets: Sequence[str], execution_id: str, send_at: datetime) -> str:
    """Return the token that cancels an execution before its send instant, signed with the first of the secrets."""
    name, expires = _written(execution_id.encode()), str(int(send_at.timestamp()))
    return f"1.{name}.{expires}.{_written(_signature(secrets[0], name, expires))}"


def read_token(secrets: Sequence[str], token: str) -> CancelLink:
    """Return what a token says, expired or not; BadLink unless one of the secrets has signed it.

    That there may be several lets one follow another: links that are out stay good until the old one is taken away.
    """
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise BadLink("this is no cancel link; copy it whole from the alert")
    name, expires, signature = found.groups()
    given = signature.encode()
    # Every secret is tried, so that the time this takes says nothing of which one fits.
    fitting = [hmac.compare_digest(given, _written(_signature(secret, name, expires)).encode()) for secret in secrets]
    if not any(fitting):
        raise BadLink("the cancel link is not one of ours; open it from the alert")
    try:
        execution_id = urlsafe_b64decode(f"{name}{'=' * (-len(name) % 4)}").decode()
        return CancelLink(execution_id=execution_id, expires_at=datetime.fromtimestamp(int(expires), UTC))
    except (Error, UnicodeDecodeError, ValueError, OverflowError, OSError) as error:
        raise BadLink("the cancel link says nothing that can be read") from error


def _signature(secret: str, name: str, expires: str) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + f"{name}.{expires}".encode(), "sha256")


def _written(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
