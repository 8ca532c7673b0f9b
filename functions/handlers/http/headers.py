"""Security headers for browsers: what a page may load, which pages may frame it, and that it needs TLS."""

from collections.abc import Mapping

from flask import Request

NO_SNIFFING: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}


def content_security_policy(**allowed: str) -> Mapping[str, str]:
    """Return the header that allows only the named sources, such as `script_src="'self'"`."""
    sources = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}
    sources |= {name.replace("_", "-"): source for name, source in allowed.items()}
    return {"Content-Security-Policy": "; ".join(f"{name} {source}" for name, source in sources.items())}


def transport_security(request: Request) -> Mapping[str, str]:
    """Return the header that keeps a browser on https for a year; none where the request did not come over TLS."""
    if request.headers.get("X-Forwarded-Proto") != "https":
        return {}
    return {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
