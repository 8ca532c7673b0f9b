"""Check which users the cadence rules allow now, as a shard does, but reserve nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.domain.cadence import rules as cadence
from functions.domain.errors import BadFields, FieldError, LedgerUnreadable
from functions.domain.ids import USER_KEY_BYTES, is_user_id, user_digest
from functions.domain.push.outcomes import Exclusion
from functions.ports import Ports
from functions.usecases.sending.reserve import reserve

_NOBODY = b""
"""The key of a push that is never in the ledger, so that every push there counts as another one."""


@dataclass(frozen=True, kw_only=True)
class FilteredAudience:
    """The users who may get a push now, as written, and the number of others by reason.

    `unfiltered` says why no rule was applied: the ledger cannot be read, and the deployment fails open.
    """

    eligible: Sequence[str]
    excluded: Mapping[str, int]
    unfiltered: str = ""

    @property
    def excluded_count(self) -> int:
        """The number of given users who are excluded."""
        return sum(self.excluded.values())


def filter_audience(ports: Ports, user_ids: Sequence[object], layer: int) -> FilteredAudience:
    """Return which users may get a push of a layer now. Invalid and repeated ids are excluded and counted.

    Hours are counted in UTC, as there is no recipe. Exempt layers pass. LedgerUnreadable if the ledger cannot be
    read, unless the deployment fails open. BadFields for more users than the audiences of an execution are allowed to
    hold.
    """
    most = ports.policy.limits.total_audience
    if len(user_ids) > most:
        reason = f"holds {len(user_ids):,} users; at most {most:,} can be asked for (MAX_TOTAL_AUDIENCE)"
        raise BadFields([FieldError("userIds", reason)])
    excluded: Counter[str] = Counter()
    valid: dict[bytes, str] = {}
    for user_id in user_ids:
        if not isinstance(user_id, str) or not is_user_id(user_id.strip(), ports.policy.user_id_format):
            excluded[Exclusion.INVALID_USER_ID.value] += 1
        elif (digest := user_digest(user_id.strip())) in valid:
            excluded[Exclusion.DUPLICATE_USER_ID.value] += 1
        else:
            valid[digest] = user_id
    held_back, unfiltered = _held_back(ports, [digest[:USER_KEY_BYTES] for digest in valid], layer)
    eligible: list[str] = []
    for digest, user_id in valid.items():
        rule = held_back.get(digest[:USER_KEY_BYTES])
        if rule is None:
            eligible.append(user_id)
        else:
            excluded[rule] += 1
    return FilteredAudience(eligible=eligible, excluded=excluded, unfiltered=unfiltered)


def _held_back(ports: Ports, keys: Sequence[bytes], layer: int) -> tuple[cadence.HeldBack, str]:
    held_back: dict[bytes, str] = {}
    if layer in ports.workspace.cadence.exempt:
        return held_back, ""
    push = cadence.Push(key=_NOBODY, layer=layer, at=ports.clock.now())
    try:
        for some in reserve(ports, push, keys, dry_run=True):
            held_back.update(some)
    except LedgerUnreadable as error:
        if not ports.policy.fail_open:
            raise
        return held_back, f"the cadence ledger cannot be read, and CADENCE_FAIL=open lets all users through: {error}"
    return held_back, ""
