"""What the first bytes of a file say about an image, and which images phones show."""

import struct
from random import Random

import pytest

from functions.domain.push.images import MOST_BYTES, BadImage, Image, ImageFault, bad, read_image
from tests.pictures import jpeg, png


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1200, 600), (65_535, 3)])
def test_a_jpeg_and_a_png_say_their_size(width: int, height: int) -> None:
    for form, content in (("PNG", png(width, height)), ("JPEG", jpeg(width, height))):
        found = read_image(content, "whatever/it-says")
        assert (found.form, found.width, found.height, found.bytes) == (form, width, height, len(content))


def test_the_size_of_a_jpeg_is_behind_its_other_segments() -> None:
    before = b"\xff\xe1" + struct.pack(">H", 40_000) + bytes(39_998)
    content = jpeg(640, 480, before=before + b"\xff\xff\xfe\x00\x04hi" + b"\xff\x01")
    assert (read_image(content, "").width, read_image(content, "").height) == (640, 480)


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            b"\xff",
            b"\xff\xd8",
            b"\xff\xd8\xff",
            b"\xff\xd8\xff\xc0",
            b"\x89PNG\r\n\x1a\n",
            b"<html>",
            b"GIF89a",
        ),
        *(png(1, 1)[:20], jpeg(9, 9)[:10], png(0, 5), jpeg(5, 0), b"\xff\xd8\xff\xda\0\0\xff\xc0" + bytes(20)),
        b"\xff\xd8" + b"\xff\xe0\0\0" * 9,
    ],
)
def test_what_is_no_whole_image_has_no_form(content: bytes) -> None:
    assert read_image(content, "image/png") == Image(form="", declared="image/png", bytes=len(content))


def test_any_bytes_can_be_read() -> None:
    random = Random(1)
    wholes = [png(30, 40), jpeg(30, 40, before=b"\xff\xe0\0\x10" + bytes(14))]
    for _ in range(20_000):
        content = bytearray(random.choice(wholes))
        for _ in range(random.randrange(4)):
            content[random.randrange(len(content))] = random.choice((0, 1, 0xC0, 0xD8, 0xFF, random.randrange(256)))
        cut = bytes(content[: random.randrange(len(content) + 1)])
        found = read_image(cut, "")
        assert (found.width > 0) == (found.height > 0) == bool(found.form)
    for _ in range(5_000):
        read_image(b"\xff\xd8" + random.randbytes(60), "")


def test_a_file_of_empty_segments_takes_no_time() -> None:
    assert not read_image(b"\xff\xd8" + b"\xff" * MOST_BYTES, "").form
    assert not read_image(b"\xff\xd8" + b"\xff\xd0" * (MOST_BYTES // 2), "").form


def image(**changes: object) -> Image:
    return Image(**{"form": "PNG", "declared": "", "bytes": 9, "width": 8, "height": 8} | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("look", "fault", "detail"),
    [
        (image(bytes=MOST_BYTES + 1), ImageFault.TOO_LARGE, "more than 1 MB"),
        (image(width=30_000, height=30_000), ImageFault.TOO_LARGE, "30,000 x 30,000 pixels"),
        (image(form="", declared="text/html"), ImageFault.WRONG_TYPE, "text/html"),
        (image(form="", declared="image/webp"), ImageFault.WRONG_TYPE, "image/webp"),
        (image(form=""), ImageFault.WRONG_TYPE, "no type"),
        (image(form="", declared="text/" + "x" * 90_000), ImageFault.WRONG_TYPE, "text/" + "x" * 52 + "..."),
        (image(form="", declared="text/\x1b[31m\u202ex\n"), ImageFault.WRONG_TYPE, "text/[31mx"),
        (BadImage(fault=ImageFault.STATUS, detail="404"), ImageFault.STATUS, "404"),
    ],
)
def test_an_image_that_a_phone_does_not_show_says_why(look: Image | BadImage, fault: ImageFault, detail: str) -> None:
    assert bad(look, for_browsers=False) == BadImage(fault=fault, detail=detail)


def test_an_image_up_to_the_limits_is_shown_and_browsers_show_more_types() -> None:
    assert bad(image(bytes=MOST_BYTES, width=5_120, height=5_120), for_browsers=False) is None
    webp = image(form="", declared="image/webp")
    assert bad(webp, for_browsers=True) is None
    assert bad(image(form="", declared="text/html"), for_browsers=True) is not None
