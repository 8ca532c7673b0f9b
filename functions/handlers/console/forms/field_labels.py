"""What the recipe form calls its fields, for the list of what has to be fixed."""

import re

_LABELS = {
    "id": "ID",
    "name": "Name",
    "description": "Description",
    "status": "Status",
    "schedule": "Schedule",
    "schedule.timezone": "Time zone",
    "schedule.frequency": "How often",
    "schedule.executionTime": "Send time",
    "schedule.startDate": "First day",
    "schedule.endDate": "Last day",
    "schedule.leadTimeMinutes": "Starts preparing (minutes before)",
    "schedule.daysOfWeek": "Days of the week",
    "schedule.dayOfMonth": "Day of the month",
    "schedule.cronExpression": "Cron expression",
    "audienceCriteria.customScript.scriptId": "Audience job",
    "audienceCriteria.customScript.parameters": "Parameters of the job",
    "audienceCriteria.query": "Or query",
    "settings.testUserIds": "Test users",
    "settings.cancellationWindowMinutes": "Time to cancel (minutes)",
    "settings.maxLatenessMinutes": "Latest start (minutes late)",
    "settings.onUnknown": "If delivery is unknown",
    "settings.safeguards.maxAudienceSize": "Largest audience",
    "settings.safeguards.alertThresholds.audienceSize": "Warn above",
    "settings.safeguards.alertThresholds.failureRate": "Failure rate that stops the send",
    "pushSequence": "Pushes",
}
_PUSH_LABELS = {
    "title": "title",
    "body": "body",
    "deepLink": "deep link",
    "layerId": "layer",
    "audienceName": "audience",
    "timing.delayAfterPrevious": "minutes after the push before",
    "timing.absoluteTime": "time",
    "literalText": "literal text",
}
_PUSH = re.compile(r"pushSequence\[(\d+)\]\.?(.*)")


def label_of(field: str) -> str:
    """Return what people call a field of the form: `Push 2, title` for `pushSequence[1].title`."""
    found = _PUSH.fullmatch(field)
    if found is None:
        return _LABELS.get(field, field)
    number, name = int(found[1]) + 1, found[2]
    return f"Push {number}, {_PUSH_LABELS.get(name, name)}" if name else f"Push {number}"
