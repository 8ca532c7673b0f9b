"""Images of pushes: what phones can show, and what is wrong with one that they cannot."""

from dataclasses import dataclass
from enum import StrEnum

MOST_BYTES = 1024 * 1024
"""Android loads no larger image: MAX_IMAGE_SIZE_BYTES in firebase-android-sdk, ImageDownload.java."""
MOST_PIXELS = 25 * 1024 * 1024
"""Of four bytes each: Android draws no larger bitmap, MAX_BITMAP_SIZE in its RecordingCanvas.java."""
_LONGEST_TYPE = 60
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_JPEG = b"\xff\xd8"
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG frames, which have the size: ITU-T T.81, table B.1."""
_BARE = {0x01, *range(0xD0, 0xD8)}
"""Markers without a length."""
_SCAN, _END, _FILL = 0xDA, 0xD9, 0xFF


class ImageFault(StrEnum):
    """Why phones do not show an image."""

    NOT_ALLOWED = "not_allowed"
    UNREACHABLE = "unreachable"
    TOO_SLOW = "too_slow"
    STATUS = "status"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"


FAULT_WORDS = {
    ImageFault.NOT_ALLOWED: "lead where no image may come from",
    ImageFault.UNREACHABLE: "cannot be loaded",
    ImageFault.TOO_SLOW: "take longer than five seconds",
    ImageFault.STATUS: "are answered with an error",
    ImageFault.TOO_LARGE: "are too large",
    ImageFault.WRONG_TYPE: "are not JPEG or PNG",
}


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that was loaded: its bytes, and its size in pixels if it is a JPEG or PNG.

    `form` is JPEG, PNG or empty for all else; `declared` is the type that the server says, such as image/webp.
    """

    form: str
    declared: str
    bytes: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class BadImage:
    """Why an image was not loaded. `detail` has a few words, without the address."""

    fault: ImageFault
    detail: str


Look = Image | BadImage


def bad(look: Look, *, for_browsers: bool) -> BadImage | None:
    """Return what is wrong with an image; None if it can be shown.

    Browsers show more types than JPEG and PNG.
    """
    if isinstance(look, BadImage):
        return look
    if look.bytes > MOST_BYTES:
        return BadImage(fault=ImageFault.TOO_LARGE, detail="more than 1 MB")
    if look.width * look.height > MOST_PIXELS:
        return BadImage(fault=ImageFault.TOO_LARGE, detail=f"{look.width:,} x {look.height:,} pixels")
    if look.form or (for_browsers and look.declared.startswith("image/")):
        return None
    return BadImage(fault=ImageFault.WRONG_TYPE, detail=_short(look.declared) or "no type")


def _short(text: str) -> str:
    """Return a text of a server as alerts may show it: printable, and not long."""
    printable = "".join(filter(str.isprintable, text))
    return printable if len(printable) <= _LONGEST_TYPE else f"{printable[: _LONGEST_TYPE - 3]}..."


def read_image(content: bytes, declared: str) -> Image:
    """Return what the first bytes of a file say. Any bytes can be given; those of no image have no form."""
    form, size = ("PNG", _png_size(content)) if content.startswith(_PNG) else ("JPEG", _jpeg_size(content))
    if size is None or 0 in size:
        return Image(form="", declared=declared, bytes=len(content))
    return Image(form=form, declared=declared, bytes=len(content), width=size[0], height=size[1])


def _png_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG: www.w3.org/TR/png-3, section 11.2.1."""
    return (_number(content, 16, 4), _number(content, 20, 4)) if len(content) >= 24 else None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG, None if there is no frame: ITU-T T.81, section B.2."""
    if not content.startswith(_JPEG):
        return None
    place = 2
    while place + 9 <= len(content) and content[place] == _FILL:
        marker = content[place + 1]
        if marker == _FILL:
            place += 1
        elif marker in _BARE:
            place += 2
        elif marker in _FRAMES:
            return _number(content, place + 7, 2), _number(content, place + 5, 2)
        elif marker in (_SCAN, _END):
            return None
        else:
            place += 2 + max(2, _number(content, place + 2, 2))
    return None


def _number(content: bytes, place: int, length: int) -> int:
    return int.from_bytes(content[place : place + length], "big")
