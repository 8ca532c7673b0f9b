"""Planted defects of what a push carries."""

from functions.domain.push import images
from functions.usecases.sending import rows
from functions.usecases.sending.assignment import Delivery
from local.simulator.proof import mutations
from local.simulator.proof.defect import Defect
from local.simulator.proof.planting import Change

CONTENT = (
    Defect(
        name="content left behind",
        means="messages leave without the buttons and data of their push",
        sentence=r"left with other content than its snapshot has$",
        changes=(Change(Delivery.envelope, mutations.without_content),),
    ),
    Defect(
        name="a neighbour's button",
        means="a message has the button of the user before",
        sentence=r"unlike the audience's row$",
        changes=(Change(rows.renderer, mutations.content_of_the_row_before),),
    ),
    Defect(
        name="any image will do",
        means="an image that does not load counts as good",
        sentence=r"^it went live although no look found all the images that it requires$",
        favours=("with images", "image_gone", "sends often"),
        changes=(Change(images.bad, mutations.nothing),),
    ),
)
