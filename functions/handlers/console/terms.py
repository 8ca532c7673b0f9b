"""The console's terms, explained: on the help page, and where they stand."""

from collections.abc import Mapping

TERMS: Mapping[str, str] = {
    "campaign": "Who gets which pushes, and when. The API, the command line and files call it a recipe.",
    "send": "One run of a campaign for one send time, with its tests and its results. The API calls it an execution.",
    "push": "One notification of a campaign. A campaign can send several, one after the other.",
    "send time": "When the first push goes out, by the clock of the campaign's time zone. Tminus writes T-0 for it.",
    "lead time": "The minutes between the start of a send and its send time. Tminus builds the audience and sends "
    "tests in them.",
    "cancellation window": "The minutes between the test pushes and the send time. Any operator can cancel then, and "
    "nobody receives the push.",
    "test people": "Colleagues who get each push first, as a test. Tests are marked and never counted as sends.",
    "audience": "The people that a push is for, found when the send starts.",
    "segment": "Conditions with a name, which several campaigns can use.",
    "layer": "The class of a push. Frequency caps count and limit the pushes of a layer.",
    "frequency cap": "How many pushes one person may get in a number of hours. A person above a cap is left out.",
    "people": "Each person counts once, however many pushes they get.",
    "messages": "Each push to each person counts once. Three pushes to one person are three messages.",
    "reached": "People with at least one message that FCM accepted.",
    "withheld": "Not sent on purpose: a frequency cap, an opt-out, no device, or a variable without a value.",
    "failed": "FCM refused the message, for example because the app was removed from the phone.",
    "delivery unknown": "The message may have left, but no answer came. Tminus does not send it again, so nobody "
    "gets it twice.",
    "not reached": "The send ended, by a stop for example, before the turn of these people.",
    "missed": "Nothing started the send in time, so nobody got it.",
    "blocked": "A safeguard stopped the send before anybody got it.",
    "receipt": "A file of a send that has the outcome of every person and push.",
    "variable": "A value of each person in a text, such as [[var:firstName|friend]]. The word after the bar is the "
    "fallback: it stands where the person has no value.",
    "safeguard": "A check that warns of a send or stops it, such as an audience that is far larger than usual.",
}
"""The meaning of each term, in the order of the help page."""
