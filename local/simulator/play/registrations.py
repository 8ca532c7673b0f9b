"""When the app registered the devices: long ago, and some of those that FCM called dead once more."""

from collections.abc import Callable
from datetime import datetime, timedelta

from local.simulator.play.chance import Chance

_LONG = timedelta(days=40)
_COMES_BACK = 0.5
_LATEST_HOURS = 30


class Registrations:
    """The registrations of one run, as of `now`. A dead device that the app registers again is alive from then on.

    Without `come_back` no app does: user data that are not the simulator's would not show it.
    """

    def __init__(self, now: Callable[[], datetime], chance: Chance, *, come_back: bool) -> None:
        self._now, self._chance, self._come_back = now, chance, come_back
        self._first = now() - _LONG
        self._died: dict[str, datetime] = {}
        self._again: dict[str, datetime] = {}

    def dies(self, token: str) -> None:
        """Let FCM call a token UNREGISTERED. Half of them are registered again within some hours."""
        now = self._now()
        self._died[token] = now
        name = f"{token} registered again after {now.isoformat()}"
        if self._come_back and self._chance.number(name) < _COMES_BACK:
            self._again[token] = now + timedelta(hours=self._chance.between(f"{name}: hours", 0.5, _LATEST_HOURS))

    def at(self, token: str, now: datetime | None = None) -> datetime:
        """Return when a token was registered last."""
        again = self._again.get(token)
        return again if again is not None and again <= (now or self._now()) else self._first

    def is_dead(self, token: str) -> bool:
        """Return whether FCM calls a token UNREGISTERED."""
        return token in self._died and self.at(token) <= self._died[token]

    @property
    def called_dead(self) -> set[str]:
        """The tokens that FCM has ever called UNREGISTERED."""
        return set(self._died)
