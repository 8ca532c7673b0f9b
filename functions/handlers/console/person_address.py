"""Addresses of people's pages: the id is sealed, so that logs, histories and links do not have it.

A token is made of the id alone, so a link works for every operator, and for as long as the signing key. It is
AES-SIV (RFC 5297), which needs no random value: equal ids have equal tokens. Ids are padded, so that a token does not
show how long a short id is.
"""

import base64
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from functions import bootstrap
from functions.domain.errors import NotFound

_PADDED_TO = 48
"""In bytes; a UUID has 36."""


def token_of(user_id: str) -> str:
    """Return the token that stands for an id in an address."""
    text = user_id.encode("utf-8", "surrogatepass")
    padded = text.ljust(-(-len(text) // _PADDED_TO) * _PADDED_TO, b"\0")
    return base64.urlsafe_b64encode(_cipher().encrypt(padded, None)).decode().rstrip("=")


def user_of(token: str) -> str:
    """Return the id that a token stands for; NotFound if this console did not make it."""
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        user_id = _cipher().decrypt(sealed, None).rstrip(b"\0").decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError):
        user_id = ""
    if not user_id or token_of(user_id) != token:  # base64 has several ways to write the same bytes
        raise NotFound("this link to a person is not valid: search for the person")
    return user_id


def _cipher() -> AESSIV:
    return AESSIV(hmac.digest(bootstrap.signing_key().encode(), b"tminus console people", hashlib.sha512))
