"""What the judge knows of dead tokens: who was buried and when, and who was registered again since."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

from functions.domain.audience.dead_tokens import token_key
from functions.domain.audience.partition import read_rows
from local.simulator.play.workers import Worker

_GRAVE_BYTES, _KEY_BYTES = 12, 8

Registered = Callable[[str, datetime | None], datetime]
"""When the app registered a token last, as of an instant; None is now."""


class Graves:
    """The graves of one run. `owners` has the user of each token; `broken` takes a sentence for each breach."""

    def __init__(self, registered: Registered, owners: Mapping[str, str], broken: Callable[[str], None]) -> None:
        self._registered, self._broken = registered, broken
        self._tokens: Mapping[str, list[str]] = defaultdict(list)
        for token, user in owners.items():
            self._tokens[user].append(token)
        self._buried: dict[bytes, tuple[int, datetime]] = {}
        self._by_partition: dict[int, set[bytes]] = defaultdict(set)
        self._files: set[str] = set()

    def buried(
        self, partition: int, graves: bytes, called_dead: Collection[str], step: int, *, lifting: bool
    ) -> None:
        """Check a partition's graves against the tokens that FCM called UNREGISTERED. An operator may lift some."""
        packed = [graves[start : start + _GRAVE_BYTES] for start in range(0, len(graves), _GRAVE_BYTES)]
        found = {each[:_KEY_BYTES]: datetime.fromtimestamp(int.from_bytes(each[_KEY_BYTES:]), UTC) for each in packed}
        if found.keys() - self._buried.keys() - set(map(token_key, called_dead)):
            self._broken("a token was buried that FCM had not called dead")
        forgotten = self._by_partition[partition] - found.keys()
        if forgotten and not lifting:
            self._broken("a dead token was forgotten that no operator had lifted")
        for key in forgotten:
            self._buried.pop(key, None)
        for key, at in found.items():
            if key not in self._buried or self._buried[key][1] != at:
                self._buried[key] = step, at
        self._by_partition[partition] = set(found)

    def buried_at(self, token: str) -> int | None:
        """Return the step at which a token was buried; None if it is alive, or was registered again since."""
        step, at = self._buried.get(token_key(token), (None, None))
        return None if at is None or self._registered(token, None) > at else step

    def built(self, name: str, devices: bytes, worker: Worker) -> None:
        """Check a file of devices that was just written: who has only dead ones there has none that is alive."""
        if name in self._files:  # an earlier attempt has written it
            return
        self._files.add(name)
        for user_id, token, platform, *_ in list(read_rows(devices))[1:]:
            if token or platform == "opted_out":
                continue
            for owned in self._tokens.get(user_id, ()):
                step, at = self._buried.get(token_key(owned), (worker.began_step, None))
                if step < worker.began_step and at is not None and self._registered(owned, worker.began_at) > at:
                    self._broken(f"{owned} counts as dead although the app registered it again")
