"""Planted defects of what a push carries."""

from functions.domain.push import images
from functions.domain.recipe.defaults import with_defaults
from functions.domain.recipe.push_fields import RecipePush
from functions.usecases.sending import rows
from functions.usecases.sending.assignment import Delivery
from local.simulator.proof import mutations, mutations_of_content
from local.simulator.proof.defect import Defect
from local.simulator.proof.planting import Change

CONTENT = (
    Defect(
        name="content left behind",
        means="messages leave without the buttons and data of their push",
        sentence=r"left with other content than its snapshot has$",
        changes=(Change(Delivery.envelope, mutations_of_content.without_content),),
    ),
    Defect(
        name="a neighbour's button",
        means="a message has the button of the user before",
        sentence=r"unlike the audience's row$",
        changes=(Change(rows.renderer, mutations_of_content.content_of_the_row_before),),
    ),
    Defect(
        name="one language for all",
        means="every user gets the first translation, whatever their locale",
        sentence=r"unlike the audience's row$",
        favours=("gym",),
        changes=(Change(RecipePush.translation_for, mutations_of_content.first_language),),
    ),
    Defect(
        name="defaults forgotten",
        means="executions begin without the defaults of their workspace",
        sentence=r"it was launched without the defaults of its workspace$",
        favours=("gym",),
        changes=(Change(with_defaults, mutations_of_content.without_defaults),),
    ),
    Defect(
        name="any image will do",
        means="an image that does not load counts as good",
        sentence=r"^it went live although no look found all the images that it requires$",
        favours=("with images", "image_gone", "sends often"),
        changes=(Change(images.bad, mutations.nothing),),
    ),
)
