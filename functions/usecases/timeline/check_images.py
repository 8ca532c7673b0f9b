"""At T-30: load each image of the pushes once, note what phones will load, and warn about what they cannot show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.push.images import FAULT_WORDS, BadImage, Image, ImageFault, Look, bad
from functions.domain.push.shard import PushFiles
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.timeline.ending import end
from functions.usecases.timeline.image_addresses import ImageField, image_fields
from functions.usecases.timeline.journal import breach, note
from functions.usecases.timeline.steps import Run, load_execution

_PHASE = Phase.AUDIENCE_GENERATION
_LONGEST, _SHORTEST = timedelta(seconds=60), timedelta(seconds=5)
_MOST_EXAMPLES = 3
_LONGEST_EXAMPLE = 200
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_Judged = Sequence[tuple[ImageField, Mapping[str, BadImage]]]
"""The fields with images, each with what is wrong with those that were looked at, by address."""


def check_images(ports: Ports, run: Run, pushes: Sequence[PushFiles]) -> Execution | None:
    """Load the images of an execution; return it if it goes no further here.

    That is if the recipe requires images and one does not load: it is blocked. It is also returned, unchanged, if it
    was cancelled or another attempt went on meanwhile, which may have found other images. Otherwise one line in the
    log says what was found, and a violation warns about each kind of trouble. A repeat adds only that line.
    """
    fields = image_fields(ports, run, pushes)
    addresses = list(dict.fromkeys(address for one in fields for address in one.rows))
    if not addresses:
        return None
    required = run.recipe.settings.safeguards.require_images
    if ports.images is None:
        words = ", although settings.safeguards.requireImages is true" if required else ""
        note(ports, run.execution.id, _PHASE, f"images are not looked at{words}: IMAGE_CHECK is off")
        return None
    looks = ports.images.look(addresses, _time_left(ports, run))
    current = load_execution(ports, run.execution.id)
    if current.state is not State.LAUNCHED:
        return current
    wrong = [(one, _wrong(one, looks)) for one in fields]
    _note(ports, run, looks, wrong, unseen=len(addresses) - len(looks))
    return _judge(ports, run, len(looks), wrong)


def _wrong(one: ImageField, looks: Mapping[str, Look]) -> Mapping[str, BadImage]:
    """Return what is wrong with the images of a field, by address."""
    judged = (
        (address, bad(looks[address], for_browsers=one.for_browsers)) for address in one.rows if address in looks
    )
    return {address: found for address, found in judged if found}


def _time_left(ports: Ports, run: Run) -> timedelta:
    """Return how long images may be loaded: at most half of the time until T-0."""
    return max(_SHORTEST, min(_LONGEST, (run.execution.send_at - ports.clock.now()) / 2))


def _note(ports: Ports, run: Run, looks: Mapping[str, Look], wrong: _Judged, *, unseen: int) -> None:
    fields, broken = [one for one, _ in wrong], {address for _, found in wrong for address in found}
    images = [look for address, look in looks.items() if isinstance(look, Image) and address not in broken]
    parts = [f"{len(images)} of {len(looks)} load"]
    if images:
        parts.append(f"the largest has {_size(max(look.bytes for look in images))}")
        widest = max(images, key=lambda look: look.width * look.height)
        if widest.form:
            parts.append(f"at most {widest.width:,} x {widest.height:,} pixels")
    if images and not run.recipe.test_mode and run.execution.kind is not Kind.TEST:
        parts += _egress(fields, looks)
    if unseen:
        parts.append(f"there was no time for {unseen} more")
    if not all(one.complete for one in fields):
        parts.append("there are more that were not looked at")
    note(ports, run.execution.id, _PHASE, f"images: {'; '.join(parts)}", "warning" if unseen else "info")


def _egress(fields: Sequence[ImageField], looks: Mapping[str, Look]) -> Sequence[str]:
    """Return the bytes that all devices will load, in words. The icons of browsers do not count."""
    total, devices = 0.0, 0
    for one in fields:
        rows = sum(times for address, times in one.rows.items() if address in looks)
        if not one.for_browsers and rows:
            loaded = sum(times * _loaded(looks.get(address)) for address, times in one.rows.items())
            total += one.devices * loaded / rows
            devices += one.devices
    return [f"expected egress {_size(total)}: {_size(total / devices)} x {devices:,} devices"] if devices else []


def _loaded(look: Look | None) -> int:
    return look.bytes if isinstance(look, Image) else 0


def _judge(ports: Ports, run: Run, looked_at: int, wrong: _Judged) -> Execution | None:
    """Record a violation for each kind of trouble, and end the execution if the recipe requires images."""
    required = run.recipe.settings.safeguards.require_images
    blocking: Finding | None = None
    for fault in ImageFault:
        troubles = _Troubles(fault)
        for one, found in wrong:
            troubles.add(one, found)
        if troubles.details:
            finding = troubles.finding(looked_at, required=required)
            breach(ports, run.execution, _PHASE, finding, subject=fault.value)
            blocking = blocking or finding
    if blocking is None or not required:
        return None
    try:
        return end(ports, run, _PHASE, State.BLOCKED, blocking, subject=str(blocking.data["fault"]))
    except NotPossible:  # it went live by another attempt, which found all images
        return None


class _Troubles:
    """The images with one kind of trouble, and the fields that lead to them.

    People see a field's template. The address that it has for a user may hold personal data.
    """

    def __init__(self, fault: ImageFault) -> None:
        self._fault = fault
        self.details: dict[str, str] = {}
        self._places: list[str] = []

    def add(self, one: ImageField, wrong: Mapping[str, BadImage]) -> None:
        """Add the images of a field that have this trouble."""
        found = {address: each.detail for address, each in wrong.items() if each.fault is self._fault}
        if found:
            self.details |= found
            source = one.template.source
            shown = source if len(source) <= _LONGEST_EXAMPLE else f"{source[:_LONGEST_EXAMPLE]}…"
            self._places.append(f"{one.path} of push {one.files.push} ({shown})")

    def finding(self, looked_at: int, *, required: bool) -> Finding:
        """Return what to record."""
        details = Counter(self.details.values()).most_common(_MOST_EXAMPLES)
        why = ", ".join(f"{detail}: {count}" if len(details) > 1 else detail for detail, count in details)
        trouble = f"images that {FAULT_WORDS[self._fault]}: {len(self.details)} of {looked_at} ({why})"
        places = "; ".join(self._places[:_MOST_EXAMPLES])
        more = f"; {len(self._places) - _MOST_EXAMPLES} more" if len(self._places) > _MOST_EXAMPLES else ""
        end = "settings.safeguards.requireImages blocks the send" if required else "phones show the push without them"
        return Finding(
            type=ViolationType.IMAGE_BROKEN,
            severity=Severity.CRITICAL if required else Severity.WARNING,
            message=f"{trouble}: {places}{more}; {end}",
            action="blocked" if required else "none; the execution goes on",
            data={"fault": self._fault.value, "images": len(self.details), "lookedAt": looked_at},
        )


def _size(count: float) -> str:
    """Return a number of bytes in words, such as 34 KB or 1.2 GB."""
    unit = 0
    while count >= 999.5 and unit < len(_UNITS) - 1:
        count, unit = count / 1_000, unit + 1
    return f"{count:.1f} {_UNITS[unit]}" if unit and count < 9.95 else f"{count:.0f} {_UNITS[unit]}"
