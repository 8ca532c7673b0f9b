"""FCM and the phones: which message reached which phone, and every way in which a request can end."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from functions.domain.errors import Misconfigured, QuotaExceeded, TminusError
from functions.domain.push.outcomes import Chunk, Envelope, Message, Outcome
from local.simulator.play.chance import Chance
from local.simulator.play.faults import FCM, STRAY, WRONG_SETTING, Rates
from local.simulator.play.registrations import Registrations

_ARRIVES = {None, "fcm_reset_after", "fcm_slow"}
_OUTCOMES = {
    "fcm_429": Outcome.NOT_SENT,
    "fcm_503": Outcome.UNKNOWN,
    "fcm_reset_before": Outcome.NOT_SENT,
    "fcm_reset_after": Outcome.UNKNOWN,
    "fcm_dead": Outcome.DEAD_TOKEN,
    "fcm_refused": Outcome.BAD_MESSAGE,
    "fcm_denied": Outcome.MISCONFIGURED,
    "fcm_stray": Outcome.WRONG_PROJECT,
    "fcm_wrong_project": Outcome.WRONG_PROJECT,
    "fcm_third_party": Outcome.THIRD_PARTY_AUTH,
    "fcm_no_key": Outcome.THIRD_PARTY_AUTH,
}
_NEVER_LEFT = {"fcm_reset_before", "fcm_429"}
"""Faults after which a repeat is allowed: the message never left, or was refused for now."""
_DOUBTS = ("fcm_503", "fcm_reset_after")
_AGAIN = 10
"""How many times as often a request has an unknown outcome after the first one of its token: to see two in a row."""

Left = Callable[[Envelope, Message, bool], None]
"""Called for each request that left, with whether its message arrived on the phone."""


class Phones:
    """Implements PushSender with up to `depth` chunks in progress; each message makes one request.

    `caller` names the worker, so that each request draws its answer by its own name. `wait` pauses the worker.
    `scripted` fixes the faults of some tokens, which are then not drawn.
    """

    def __init__(
        self,
        chance: Chance,
        rates: Rates,
        registrations: Registrations,
        *,
        depth: int,
        caller: Callable[[], str],
        wait: Callable[[float], None],
        left: Left,
        scripted: Mapping[str, str] | None = None,
    ) -> None:
        self._chance, self._depth = chance, depth
        self._table = (*rates.among(FCM), *rates.among(STRAY))
        self._wrong_setting = rates.among(WRONG_SETTING)
        self._table_again = tuple((kind, rate * _AGAIN) for kind, rate in self._table if kind in _DOUBTS)
        self._caller, self._wait, self._left = caller, wait, left
        self._scripted = scripted or {}
        self._registrations = registrations
        self._refused: dict[str, Outcome] = {}
        self._all_refused: dict[str, Outcome | None] = {}
        self._in_doubt: set[str] = set()

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        """Send chunks; see PushSender."""
        todo, under_way, caller = iter(chunks), list[Chunk](), self._caller()
        trouble: TminusError | None = None
        while True:
            while trouble is None and len(under_way) < self._depth:
                chunk = next(todo, None)
                if chunk is None:
                    break
                under_way.append(chunk)
            if not under_way:
                break
            chunk = self._chance.pick(f"{caller}/{under_way[0].number}/which", under_way)
            under_way.remove(chunk)
            outcomes = []
            for message in chunk.messages:
                outcome, said = self.request(envelope, message, caller, over=trouble is not None)
                trouble = trouble or said
                outcomes.append(outcome)
            yield chunk.number, outcomes
        if trouble is not None:
            raise trouble

    def request(
        self, envelope: Envelope, message: Message, caller: str, *, over: bool
    ) -> tuple[Outcome, TminusError | None]:
        """Send one message; return its outcome, and the error that stops the rest. `over`: it is stopped already."""
        if over:
            return Outcome.NOT_SENT, None
        if self._registrations.is_dead(message.token):
            self._left(envelope, message, False)
            return Outcome.DEAD_TOKEN, None
        refused = self._refused.get(message.token) or self._refuses_all(envelope)
        if refused is not None:
            self._left(envelope, message, False)
            return refused, None
        place = f"{caller}/{envelope.execution_id}/{envelope.push}:{message.token}"
        kind = self._scripted.get(message.token) or self._chance.fault(place, self._table)
        if kind is None and message.token in self._in_doubt:
            kind = self._chance.fault(f"{place} again", self._table_again)
        if kind == "fcm_slow":
            self._wait(self._chance.between(f"{caller}/{message.token}:how", 1, 50))
        if kind == "fcm_dead":
            self._registrations.dies(message.token)
        if kind in STRAY:
            self._refused[message.token] = _OUTCOMES[kind]
        if kind in _DOUBTS:
            self._in_doubt.add(message.token)
        if kind not in _NEVER_LEFT:
            self._left(envelope, message, kind in _ARRIVES)
        outcome = Outcome.SENT if kind in (None, "fcm_slow") else _OUTCOMES[str(kind)]
        return outcome, self._trouble(kind)

    def _refuses_all(self, envelope: Envelope) -> Outcome | None:
        """Return the outcome that a wrong setting gives every message of a test phase or live phase, or None."""
        place = f"project of {envelope.execution_id} {'test' if envelope.test else 'live'}"
        if place not in self._all_refused:
            kind = self._chance.fault(place, self._wrong_setting)
            self._all_refused[place] = _OUTCOMES[kind] if kind else None
        return self._all_refused[place]

    def _trouble(self, kind: str | None) -> TminusError | None:
        if kind == "fcm_429":
            return QuotaExceeded(30)
        if kind == "fcm_denied":
            return Misconfigured("GOOGLE_APPLICATION_CREDENTIALS", "FCM refuses them")
        return None
