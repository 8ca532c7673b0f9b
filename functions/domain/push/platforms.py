"""What of a push the phones of each platform show only if the app does its part."""

from collections.abc import Iterator, Mapping

from functions.domain.recipe.push_fields import RecipePush


def platform_notes(push: RecipePush, devices: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each part that some devices may not show; `devices` counts them by platform."""
    android, ios = devices.get("android", 0), devices.get("ios", 0)
    languages = [push, *(push.in_language(tag) for tag in push.translations)]
    buttons, image = any(each.buttons for each in languages), any(each.image for each in languages)
    if buttons and android:
        yield f"{android:,} Android devices show the buttons only if the app reads data.buttons"
    if buttons and ios and not push.ios.category:
        yield f"{ios:,} iOS devices will not show buttons: name the app's category with them in ios.category"
    if image and ios:
        yield f"{ios:,} iOS devices show the image only if the app has a notification service extension"
    if push.ios.subtitle and (others := sum(devices.values()) - ios):
        yield f"{others:,} devices other than iOS will not show the subtitle"
