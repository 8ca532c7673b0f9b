"""The data packs of the marketplace: columns about a user's shoe. Users without such a shoe are left out."""

from audience_jobs.contract import Column, DataPack
from audience_jobs.marketplace.shoes import SHOES, hottest_shoes, target_shoes


def _lately(days: int) -> str:
    return f"BETWEEN CAST($now AS TIMESTAMP) - {days} * INTERVAL '1 day' AND CAST($now AS TIMESTAMP)"


_VALIDATED_TRADES = f"""
    SELECT i.product_variant_id AS variant_id, count(DISTINCT t.id) AS times
    FROM trades t JOIN offer_items i ON i.offer_id = t.offer_id
    WHERE t.validation_passed_date {_lately(30)}
    GROUP BY i.product_variant_id"""  # noqa: S608 (made of constants)
_OPEN_OFFERS = f"""
    SELECT product_variant_id AS variant_id, count(DISTINCT offer_id) AS times
    FROM offer_items
    WHERE offer_id IN (SELECT id FROM offers
        WHERE deleted_at = 0 AND offer_status IN ('OPEN', 'PENDING') AND created_at {_lately(7)})
    GROUP BY product_variant_id"""  # noqa: S608 (made of constants)


def _target_shoes(of: str) -> str:
    own = f"user_id IN (SELECT user_id FROM {of})"  # noqa: S608 (the name of a WITH query)
    return f"""
own_offers AS (
    SELECT id, creator_user_id AS user_id, created_at, deleted_at FROM offers WHERE creator_{own}
),
own_wishes AS (
    SELECT id, user_id, product_variant_id, created_at FROM wishlist_items WHERE deleted_at = 0 AND {own}
),{target_shoes(of, offers="own_offers", wishes="own_wishes")}"""  # noqa: S608 (as above)


def _columns(prefix: str, shoe: str, times: str = "") -> tuple[tuple[Column, str], ...]:
    columns = [
        (Column(name=f"{prefix}_name", type="text", meaning=f"the name of {shoe}"), "product_name"),
        (
            Column(name=f"{prefix}_variantid", type="text", meaning=f"{shoe} in its size, for deep links"),
            "variant_id",
        ),
    ]
    if times:
        columns.append((Column(name=f"{prefix}_count", type="integer", meaning=times), "times"))
    return tuple(columns)


DATA_PACKS = (
    DataPack(
        name="topTargetShoe",
        table="target_shoes",
        shared=(SHOES,),
        queries=_target_shoes,
        columns=_columns("top_target_shoe", "the shoe that they seem to want most"),
        words="a top target shoe",
    ),
    DataPack(
        name="hottestShoeTraded",
        table="hottest_traded",
        shared=(SHOES,),
        queries=lambda of: hottest_shoes("hottest_traded", of, counted=_VALIDATED_TRADES),
        columns=_columns(
            "hottest_shoe_traded",
            "their own shoe that is traded most",
            "how many trades of it were validated in the last 30 days; at least 1",
        ),
        words="a shoe of their own that was traded in the last 30 days",
    ),
    DataPack(
        name="hottestShoeOffers",
        table="hottest_offered",
        shared=(SHOES,),
        queries=lambda of: hottest_shoes("hottest_offered", of, counted=_OPEN_OFFERS),
        columns=_columns(
            "hottest_shoe_offers",
            "their own shoe that most offers are open for",
            "how many offers of the last 7 days for it are open; at least 1",
        ),
        words="a shoe of their own with open offers of the last 7 days",
    ),
)
