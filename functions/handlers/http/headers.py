"""Security headers for browsers: what a page may load, and which pages may frame it."""

from collections.abc import Mapping

NO_SNIFFING: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}


def content_security_policy(**allowed: str) -> Mapping[str, str]:
    """Return the header that allows only the named sources, such as `script_src="'self'"`."""
    sources = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}
    sources |= {name.replace("_", "-"): source for name, source in allowed.items()}
    return {"Content-Security-Policy": "; ".join(f"{name} {source}" for name, source in sources.items())}
