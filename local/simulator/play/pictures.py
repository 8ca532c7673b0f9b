"""The images of pushes, some of which do not load."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from functions.domain.push.images import BadImage, ImageFault, Look
from local.memory.images import MemoryImages
from local.simulator.play.chance import Chance
from local.simulator.play.faults import IMAGES, Rates

_LOOKS: Mapping[str, Look] = {
    "image_gone": BadImage(fault=ImageFault.STATUS, detail="404"),
    "image_slow": BadImage(fault=ImageFault.TOO_SLOW, detail="no whole answer"),
}


class Pictures:
    """Implements Images: each image is there, unless a fault strikes it."""

    def __init__(self, chance: Chance, rates: Rates, caller: Callable[[], str]) -> None:
        self._chance, self._caller, self._table = chance, caller, rates.among(IMAGES)

    def look(self, urls: Sequence[str], within: timedelta) -> Mapping[str, Look]:
        """Look at images; see Images."""
        struck = {url: self._chance.fault(f"{self._caller()}/image {url}", self._table) for url in urls}
        return MemoryImages({url: _LOOKS[kind] for url, kind in struck.items() if kind}).look(urls, within)

    def load(self, url: str) -> tuple[Look, bytes]:
        """Load one image; see Images. No step of an execution does."""
        return MemoryImages().load(url)
