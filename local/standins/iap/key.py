"""The key that signs assertions as Identity-Aware Proxy does: cloud.google.com/iap/docs/signed-headers-howto."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local.embedded.clock import RealClock

_ISSUER = "https://cloud.google.com/iap"
_LIFETIME = timedelta(minutes=10)


class ProxyKey:
    """Signs assertions with ES256, and lasts as long as the process."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._id = hashlib.sha256(self._public).hexdigest()[:6]

    def assertion(self, email: str, audience: str) -> str:
        """Return the assertion of a person for an audience. It holds for ten minutes of the machine's own time."""
        now = RealClock().now()
        claims = {
            "iss": _ISSUER,
            "aud": audience,
            "sub": f"accounts.google.com:{hashlib.sha256(email.encode()).hexdigest()[:21]}",
            "email": email,
            "iat": int(now.timestamp()),
            "exp": int((now + _LIFETIME).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._id})

    def public_keys(self) -> Mapping[str, str]:
        """Return the public key by its id, in PEM, like www.gstatic.com/iap/verify/public_key."""
        return {self._id: self._public.decode()}
