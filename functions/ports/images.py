"""The images of pushes, as phones load them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from functions.domain.push.images import Look


class Images(Protocol):
    """Loads images from public addresses. It never raises for what a host does."""

    def look(self, urls: Sequence[str], within: timedelta) -> Mapping[str, Look]:
        """Load each image once, in five seconds at most, and return what each is.

        None is begun after `within`: the answer leaves such addresses out.
        """
        ...

    def load(self, url: str) -> tuple[Look, bytes]:
        """Load one image as `look` does, and return its content too; none for an image that was not loaded."""
        ...
