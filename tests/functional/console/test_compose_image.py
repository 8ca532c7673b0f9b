"""Images in the preview: loaded by Tminus from public addresses, and shown by the console."""

from dataclasses import replace

import pytest

from functions.domain.push.images import BadImage, ImageFault
from functions.domain.roles import Role
from local.memory.images import A_DOT, MemoryImages
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Visitor

AT = "/recipes/compose/image?address=https%3A%2F%2Fimg.example%2Fa.png"
ADDRESS = "https://img.example/a.png"


def test_an_image_is_answered_for_the_preview(lab: Lab, visitor: Visitor) -> None:
    images = MemoryImages()
    lab.ports = replace(lab.ports, images=images)
    answer = visitor.open("GET", AT)
    assert (answer.status_code, answer.content_type, answer.data) == (200, "image/jpeg", A_DOT)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert images.asked == [ADDRESS]


@pytest.mark.parametrize("fault", [ImageFault.NOT_ALLOWED, ImageFault.TOO_LARGE, ImageFault.WRONG_TYPE])
def test_what_phones_would_not_show_is_not_answered(fault: ImageFault, lab: Lab, visitor: Visitor) -> None:
    lab.ports = replace(lab.ports, images=MemoryImages({ADDRESS: BadImage(fault=fault, detail="no")}))
    assert visitor.open("GET", AT).status_code == 404


def test_another_site_makes_nobody_load_an_image(lab: Lab, visitor: Visitor) -> None:
    images = MemoryImages()
    lab.ports = replace(lab.ports, images=images)
    assert visitor.open("GET", AT, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    visitor.become(Role.VIEWER)
    assert visitor.open("GET", AT).status_code == 403
    assert images.asked == []


def test_without_a_check_of_images_none_is_loaded(lab: Lab, visitor: Visitor) -> None:
    lab.ports = replace(lab.ports, images=None)
    assert visitor.open("GET", AT).status_code == 404
