"""Count what one push would do, row by row."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cache

from functions.domain.audience.whole_exclusion import whole_exclusion
from functions.domain.cadence.rules import HeldBack
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.ids import ALLOW_ANY, UserIdFormat
from functions.domain.push.languages import language_finding
from functions.domain.push.outcomes import Exclusion, Message
from functions.domain.push.payload import PAYLOAD_LIMIT_BYTES, Payload
from functions.usecases.dry_run.previewed import PayloadBytes, PushPreview, Sample, Variation
from functions.usecases.sending.assignment import Delivery
from functions.usecases.sending.rows import Candidate

_SAMPLES = 3
_VARIATIONS = 5
"""How many different texts are shown, the most common first."""
_DIGEST_BYTES = 8


class PushTrial:
    """Counts the rows of one push: who would get it, who would not and why, and its texts."""

    def __init__(self, delivery: Delivery, *, user_id_format: str) -> None:
        self._delivery, self._user_id_format = delivery, user_id_format
        self._in_language = cache(delivery.push.in_language)
        self._payload_of = cache(lambda tag: Payload(self._in_language(tag)))
        self.size = delivery.audience.size
        self.layer = delivery.push.layer_id
        self.columns = delivery.audience.rows.index.columns
        self.excluded: Counter[str] = Counter()
        self.eligible = self.messages = 0
        self.eligible_keys: set[bytes] = set()
        self._samples: list[Message] = []
        self._variations: Counter[bytes] = Counter()
        self._texts: dict[bytes, Message] = {}
        self._bytes: list[int] = []
        self._languages = Counter[str]()

    def take(self, rows: Sequence[Candidate], held_back: HeldBack) -> None:
        """Count rows, including those that a cadence rule holds back."""
        for row in rows:
            reason = row.excluded or held_back.get(row.key)
            if reason is not None:
                self.excluded[str(reason)] += 1
                continue
            self.eligible += 1
            self.eligible_keys.add(row.key)
            self.messages += len(row.messages)
            self._look_at(row.messages[0], len(row.messages))

    def _look_at(self, message: Message, devices: int) -> None:
        texts = (message.title, message.body, message.deep_link, message.more)
        key = hashlib.blake2b(repr((*texts, message.language)).encode(), digest_size=_DIGEST_BYTES).digest()
        self._languages[message.language] += devices
        self._variations[key] += devices
        if key not in self._texts:
            self._texts[key] = message
            self._bytes.append(self._size(message))
        if len(self._samples) < _SAMPLES:
            self._samples.append(message)

    def problems(self) -> list[Finding]:
        """Return the problems that people should look at before this is sent."""
        found = []
        excluded = whole_exclusion(
            self._delivery.files.push, self.size, self.excluded, user_id_format=self._user_id_format
        )
        for reason, what in (
            (Exclusion.PAYLOAD_TOO_LARGE, f"are larger than the {PAYLOAD_LIMIT_BYTES:,} bytes that FCM accepts"),
            (Exclusion.MISSING_VARIABLE, "lack a value for a variable that has no fallback"),
            (
                Exclusion.BAD_LINK,
                "have a link or image that is not allowed: see ALLOWED_LINKS and ALLOWED_IMAGES, "
                "and values such as '..'",
            ),
        ):
            if count := self.excluded[reason]:
                found.append(f"push {self._delivery.files.push}: {count:,} of {self.size:,} messages {what}")
        count = 0 if excluded else self.excluded[Exclusion.INVALID_USER_ID]
        if count and self._user_id_format == UserIdFormat.UUID:
            found.append(
                f"push {self._delivery.files.push}: {count:,} of {self.size:,} users have an id that is not a UUID; "
                f"{ALLOW_ANY}"
            )
        return ([excluded] if excluded else []) + [
            Finding(type=ViolationType.AUDIENCE_ALERT, severity=Severity.WARNING, message=message, action="none")
            for message in found
        ]

    def lacks_languages(self) -> Finding | None:
        """Return what would block the send if the push requires a translation that it lacks."""
        files = self._delivery.files
        return language_finding(files.push, self._delivery.push, files.untranslated)

    def result(self) -> PushPreview:
        """Return the counts."""
        files = self._delivery.files
        return PushPreview(
            order=files.push,
            audience=files.audience,
            layer=self.layer,
            due_at=self._delivery.run.timeline.push_at[files.push - 1],
            audience_size=self.size,
            excluded=dict(self.excluded),
            without_token=self.excluded[Exclusion.NO_TOKEN],
            eligible=self.eligible,
            messages=self.messages,
            different_texts=len(self._texts),
            variations=[
                self._variation(self._texts[key], count) for key, count in self._variations.most_common(_VARIATIONS)
            ],
            samples=[self._sample(message) for message in self._samples],
            payload_bytes=self._payload(),
            languages=dict(self._languages) if self._delivery.push.translations else {},
        )

    def _sample(self, message: Message) -> Sample:
        return Sample(
            user_id=message.user_id,
            title=message.title,
            body=message.body,
            deep_link=message.deep_link,
            more=self._in_language(message.language).other_texts(message.more),
            payload_bytes=self._size(message),
            language=message.language,
        )

    def _variation(self, message: Message, count: int) -> Variation:
        return Variation(
            title=message.title,
            body=message.body,
            deep_link=message.deep_link,
            payload_bytes=self._size(message),
            messages=count,
            language=message.language,
        )

    def _size(self, message: Message) -> int:
        payload = self._payload_of(message.language)
        return payload.size(message.title, message.body, message.deep_link, message.more)

    def _payload(self) -> PayloadBytes:
        sizes = self._bytes or [0]
        return PayloadBytes(smallest=min(sizes), largest=max(sizes), limit=PAYLOAD_LIMIT_BYTES)
