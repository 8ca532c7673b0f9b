"""ID tokens like those that Google signs for service accounts, signed with our own key."""

import hashlib
import os
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from local.embedded.clock import RealClock

ISSUER = "https://accounts.google.com"
_LIFETIME = timedelta(hours=1)
_CERTIFICATE_LIFETIME = timedelta(days=3650)
_KEY_BITS = 2048


class OidcKey:
    """Signs ID tokens with the key in a file, and makes the key, when it is first needed, if the file is missing.

    Tokens are issued at the machine's own time, not at that of the emulator's clock, because their verifier uses
    the machine's time too. ValueError if the file has another key.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._making = threading.Lock()
        self._made = _read_key(path) if path.exists() else None

    @property
    def _key(self) -> rsa.RSAPrivateKey:
        with self._making:
            self._made = self._made or _new_key(self._path)
            return self._made

    @property
    def _id(self) -> str:
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(public).hexdigest()[:40]

    def token(self, email: str, audience: str) -> str:
        """Return a token of a service account for `audience`, valid for an hour."""
        now = RealClock().now()
        subject = str(int.from_bytes(hashlib.sha256(email.encode()).digest()[:8])).zfill(21)
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": int(now.timestamp()),
            "exp": int((now + _LIFETIME).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._id})

    def claims(self, token: str, audience: str) -> Mapping[str, Any] | None:
        """Return what a token says, None unless this key signed it for the audience and it still holds."""
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token, self._key.public_key(), algorithms=["RS256"], audience=audience, issuer=ISSUER
            )
        except jwt.InvalidTokenError:
            return None
        return claims

    def certificates(self) -> dict[str, str]:
        """Return the public key by its id, as a certificate in PEM, like googleapis.com/oauth2/v1/certs."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "emulator of Cloud Tasks and Cloud Scheduler")])
        now = RealClock().now()
        certificate = (
            x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + _CERTIFICATE_LIFETIME)
            .sign(self._key, hashes.SHA256())
        )
        return {self._id: certificate.public_bytes(serialization.Encoding.PEM).decode()}


def _read_key(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path} does not hold an RSA key: delete it to get a new one")
    return key


def _new_key(path: Path) -> rsa.RSAPrivateKey:
    """Make a key and write it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    draft.replace(path)
    return key
