"""Images that are answered from a table, so that nothing calls the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from functions.domain.push.images import BadImage, Image, Look

A_PICTURE = Image(form="JPEG", declared="image/jpeg", bytes=40_000, width=1200, height=600)
A_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000"
    "050001a5f645400000000049454e44ae426082"
)
"""A PNG of one transparent pixel."""


@dataclass
class MemoryImages:
    """Implements Images: `looks` says what is at an address, and all others have a picture.

    It has time for the first `most` addresses, and keeps all that it was asked for in `asked`.
    """

    looks: Mapping[str, Look] = field(default_factory=dict)
    most: int = 1_000
    asked: list[str] = field(default_factory=list)

    def look(self, urls: Sequence[str], within: timedelta) -> Mapping[str, Look]:  # noqa: ARG002 - it takes no time
        """Return what the table says of each address."""
        self.asked += urls
        return {url: self.looks.get(url, A_PICTURE) for url in urls[: self.most]}

    def load(self, url: str) -> tuple[Look, bytes]:
        """Return what the table says of an address, and the smallest PNG for a picture."""
        self.asked.append(url)
        look = self.looks.get(url, A_PICTURE)
        return look, b"" if isinstance(look, BadImage) else A_DOT
