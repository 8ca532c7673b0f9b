"""The answer of a function."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Response:
    """An HTTP response: its status, its headers by name, and its body as text."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def retry_after(self) -> float | None:
        """The seconds in a Retry-After header; None without the header, or if it is a date."""
        seconds = self.headers.get("Retry-After", "")
        return float(seconds) if seconds.isdecimal() else None
