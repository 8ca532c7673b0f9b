"""The certificate authority and the service account key of a test process, created on first use."""

import json
import ssl
from functools import cache
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def certificate_authority() -> trustme.CA:
    """Return an authority that only this process trusts."""
    return trustme.CA()


@cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS context for an HTTP/2 server on 127.0.0.1 or localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    certificate_authority().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@cache
def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


def write_service_account(path: Path, *, project: str, token_uri: str) -> None:
    """Write a service account's JSON, with a signing key and the given token endpoint."""
    email = f"sender@{project}.iam.gserviceaccount.com"
    document = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "fake",
        "private_key": _private_key(),
        "client_email": email,
        "client_id": "1",
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
