"""A push as phones show it: its texts with the values of a person, or with variables that stand for themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.read import Recipe
from functions.usecases.dry_run.previewed import Preview
from functions.usecases.dry_run.previewed import Sample as Message
from functions.usecases.dry_run.sample_messages import Piece, Sample, Text, sample_of

_SHOWN = ("title", "body", "deepLink", "ios.subtitle")


@dataclass(frozen=True, kw_only=True)
class Phone:
    """The texts of a push by their fields. `ios_buttons` says whether iOS knows its buttons."""

    texts: Mapping[str, Text]
    ios_buttons: bool = False
    blank: bool = False
    """Whether nothing was written yet."""

    @property
    def link(self) -> Text:
        """What a tap opens; empty without a link."""
        return self.texts.get("deepLink", ())

    @property
    def image(self) -> str:
        """The address of the image; empty without one."""
        return "".join(piece.text for piece in self.texts.get("image", ()))

    @property
    def host(self) -> str:
        """The host of the image; empty for an address that cannot be opened."""
        try:
            return urlsplit(self.image).netloc if self.image.startswith("https://") else ""
        except ValueError:
            return ""

    @property
    def buttons(self) -> Sequence[Text]:
        """The titles of the buttons."""
        return [text for name, text in self.texts.items() if name.startswith("buttons[") and name.endswith(".title")]

    @property
    def more(self) -> Mapping[str, Text]:
        """The texts that stand nowhere in the picture."""
        shown = (*_SHOWN, "image") if self.host else _SHOWN
        texts = self.texts.items()
        return {name: text for name, text in texts if name not in shown and not name.endswith("].title")}


def phone_of(push: RecipePush, sample: Sample) -> Phone:
    """Return a sample of a push for its picture."""
    return Phone(texts=sample.texts, ios_buttons=bool(push.ios.category))


def phones_of(recipe: Recipe, samples: Sequence[Sample]) -> list[Phone]:
    """Return the samples of all pushes of a recipe for their pictures."""
    return [phone_of(push, sample) for push, sample in zip(recipe.pushes, samples, strict=True)]


def tried_phones(recipe: Recipe, found: Preview) -> dict[int, Phone]:
    """Return the first message that a dry run found for each push, by the push's number."""
    return {
        push.order: with_message(recipe, push.order - 1, sample)
        for push in found.pushes
        for sample in push.samples[:1]
    }


def with_message(recipe: Recipe, position: int, message: Message) -> Phone:
    """Return a push with the texts of a message; other texts are as written in its language."""
    phone = phone_of(recipe.pushes[position], sample_of(recipe, position, None, language=message.language))
    said = {"title": message.title, "body": message.body}
    said |= {"deepLink": message.deep_link} if message.deep_link else {}
    return replace(phone, texts={**phone.texts, **{name: [Piece(text=text)] for name, text in said.items()}})
