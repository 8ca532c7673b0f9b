"""Planted defects of segments: a change that does not reach every recipe, or that reaches more than it should."""

from functions.usecases.recipes import save, segments
from functions.usecases.timeline import build_audience
from local.simulator.proof import mutations_of_segments as mutations
from local.simulator.proof.defect import Defect
from local.simulator.proof.planting import Change

SEGMENTS = (
    Defect(
        name="a half renewal stays half",
        means="recipes keep old conditions of a segment for good, if its change stopped before it reached them",
        sentence=r"has old conditions of the segment",
        favours=("segments", "crash_after", "unavailable_after"),
        changes=(Change(save.renew_segments, mutations.only_by_people),),
    ),
    Defect(
        name="a renewal writes what it read",
        means="the change of a segment replaces what a person has edited in a recipe since it was read",
        sentence=r"^the change of a segment also changed ",
        favours=("segments", "preempt"),
        changes=(Change(save.renew_segments, mutations.save_what_was_read),),
    ),
    Defect(
        name="a segment in use is deleted",
        means="a segment is deleted although recipes use it",
        sentence=r"^the segment \S+ was deleted, which \S+ uses$",
        favours=("segments", "calm", "drop"),
        changes=(Change(segments.recipes_using, mutations.used_by_nothing),),
    ),
    Defect(
        name="segments read while building",
        means="an execution is built by the conditions that a segment has then, not by those of its snapshot",
        sentence=r"does not fit the conditions of the execution's snapshot$",
        favours=("segments", "segment", "crowded", "calm", "sends often", "task_late", "test is optional"),
        changes=(Change(build_audience.audiences_of, mutations.by_current_conditions),),
    ),
)
