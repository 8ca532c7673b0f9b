"""Signed values that pages carry: forms' tokens, reviews and notices. Only the console can make them."""

from hashlib import sha256
from typing import Any

from itsdangerous import URLSafeSerializer

from functions import bootstrap


def signed(purpose: str, content: Any) -> str:
    """Return JSON values as signed text that is valid for one purpose."""
    text = _serializer(purpose).dumps(content)
    return text if isinstance(text, str) else text.decode()


def read_signed(purpose: str, text: str) -> Any:
    """Return the values in a signed text; BadSignature unless the console signed it for this purpose."""
    return _serializer(purpose).loads(text)


def _serializer(purpose: str) -> URLSafeSerializer:
    signer = {"key_derivation": "hmac", "digest_method": sha256}
    return URLSafeSerializer(bootstrap.signing_key(), salt=f"tminus console {purpose}", signer_kwargs=signer)
