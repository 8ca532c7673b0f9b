"""The four jobs as scripts with pandas: read whole tables, merge, sort, group, write CSV.

They read only the columns that they need, which most scripts do not. Each function returns the number of users it
found, so that the benchmark can check that both sides did the same work.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from bench.marketplace.world import AT, product

Frame = Any
_NOW = pd.Timestamp(AT).tz_localize(None)
_OPEN = "OPEN_FOR_TRADE"


def _read(folder: Path, table: str, columns: str) -> Frame:
    return pd.read_parquet(folder / f"{table}.parquet", columns=columns.split())


def _undeleted(folder: Path, table: str, columns: str) -> Frame:
    frame = _read(folder, table, f"{columns} deleted_at")
    return frame[frame.deleted_at == 0].drop(columns="deleted_at")


def _tradeable(folder: Path, columns: str) -> Frame:
    frame = _undeleted(folder, "inventory_items", f"{columns} status")
    return frame[frame.status == _OPEN].drop(columns="status")


def _since(frame: Frame, days: float, until: float = 0) -> Frame:
    return frame[frame.created_at.between(_NOW - pd.Timedelta(days=days), _NOW - pd.Timedelta(days=until))]


def _shoes(folder: Path) -> Frame:
    variants = _read(folder, "product_variants", "id product_id index_cache").rename(columns={"id": "variant"})
    variants["size"] = variants.index_cache.str.extract(r'"mens_size": "([^"]*)"')[0]
    products = _read(folder, "products", "id name").rename(columns={"id": "product_id"})
    return variants.drop(columns="index_cache").merge(products, on="product_id")


def _sizes(folder: Path) -> Frame:
    values = _read(folder, "attribute_values", "id value").rename(columns={"id": "attribute_value_id"})
    preferred = _read(folder, "attribute_preferences", "user_preference_id attribute_value_id preferred")
    own = _read(folder, "user_preferences", "id user_id").rename(columns={"id": "user_preference_id"})
    merged = preferred[preferred.preferred].merge(values, on="attribute_value_id").merge(own, on="user_preference_id")
    lowest = merged.sort_values("attribute_value_id").drop_duplicates("user_id")
    return lowest[["user_id", "value"]].rename(columns={"value": "usersize"})


def _seen(folder: Path) -> Frame:
    return (
        _read(folder, "user_activities", "user_id last_active").groupby("user_id", as_index=False).last_active.max()
    )


def _people(folder: Path, columns: str) -> Frame:
    users = _undeleted(folder, "users", f"id {columns}").rename(columns={"id": "user_id"})
    return users[users.first_name.notna()]


def _counted(rows: Frame, name: str, folder: Path) -> Frame:
    members = _undeleted(folder, "users", "id")
    rows = rows[rows.user_id.isin(members.id)]
    return rows.groupby("product_variant_id").size().rename(name).reset_index()


def _written(frame: Frame, out: Path) -> int:
    order = pd.util.hash_pandas_object(frame.user_id, index=False)
    frame.iloc[order.argsort()].to_csv(out, index=False)
    return len(frame)


def generate_layer_3_push_csvs(folder: Path, out: Path) -> int:
    """Do layer 3's job."""
    offers = _since(_undeleted(folder, "offers", "id creator_user_id created_at"), 2, 0.5)
    items = (
        _read(folder, "offer_items", "id offer_id product_variant_id").sort_values("id").drop_duplicates("offer_id")
    )
    made = offers.merge(items, left_on="id", right_on="offer_id", suffixes=("", "_item"))
    made = made.rename(columns={"creator_user_id": "user_id"})[["id", "user_id", "product_variant_id", "created_at"]]
    closet = _tradeable(folder, "id user_id product_variant_id created_at")
    wishes = _undeleted(folder, "wishlist_items", "id user_id product_variant_id created_at")
    kinds = [
        frame.assign(kind=kind) for kind, frame in enumerate((made, _since(closet, 2, 0.5), _since(wishes, 2, 0.5)))
    ]
    actions = pd.concat(kinds).sort_values(["kind", "created_at", "id"], ascending=[True, False, True])
    chosen = actions.drop_duplicates("user_id").merge(_people(folder, "username first_name"), on="user_id")
    chosen = chosen.merge(_sizes(folder), on="user_id").merge(_seen(folder), on="user_id", how="left")
    chosen = chosen.merge(_shoes(folder), left_on="product_variant_id", right_on="variant")
    chosen = chosen.merge(_counted(closet, "inventory_count", folder), on="product_variant_id", how="left")
    chosen = chosen.merge(_counted(wishes, "wishlist_count", folder), on="product_variant_id", how="left")
    is_closet = chosen.kind == 1
    kept = chosen[(is_closet & (chosen.wishlist_count >= 2)) | (~is_closet & (chosen.inventory_count >= 3))]
    return sum(_written(rows, out / f"{kind}.csv") for kind, rows in kept.groupby("kind"))


def generate_new_user_waterfall(folder: Path, out: Path) -> int:
    """Do the waterfall's job."""
    users = _since(_people(folder, "username first_name bio created_at"), 14, 0.5)
    closet = _read(folder, "inventory_items", "user_id")
    offers = _read(folder, "offers", "id creator_user_id created_at deleted_at")
    wishes = _undeleted(folder, "wishlist_items", "id user_id product_variant_id created_at")
    users["level"] = 5
    users.loc[~users.user_id.isin(wishes.user_id), "level"] = 4
    users.loc[~users.user_id.isin(offers.creator_user_id), "level"] = 3
    users.loc[users.bio.isna(), "level"] = 2
    users.loc[~users.user_id.isin(closet.user_id), "level"] = 1
    shoes = _shoes(folder)[["variant", "name"]]
    desired = _undeleted(folder, "desired_items", "user_id product_variant_id offers_count created_at")
    desired = desired.sort_values(["offers_count", "created_at"], ascending=False).drop_duplicates("user_id")
    newest = offers[offers.deleted_at == 0].sort_values("created_at", ascending=False)
    newest = newest.drop_duplicates("creator_user_id").rename(
        columns={"id": "offer_id", "creator_user_id": "user_id"}
    )
    items = _read(folder, "offer_items", "id offer_id product_variant_id").sort_values("id")
    offered = items.merge(newest[["offer_id", "user_id"]], on="offer_id").drop_duplicates("user_id")
    wished = wishes.sort_values("created_at", ascending=False).drop_duplicates("user_id")
    targets = pd.concat([frame[["user_id", "product_variant_id"]] for frame in (desired, offered, wished)])
    targets = targets.merge(shoes, left_on="product_variant_id", right_on="variant").drop_duplicates("user_id")
    found = users.merge(targets, on="user_id", how="left")
    return sum(_written(rows, out / f"{level}.csv") for level, rows in found.groupby("level"))


def _open_offers(folder: Path, items: Frame) -> Frame:
    offers = _since(_undeleted(folder, "offers", "id offer_status created_at"), 30)
    standing = offers[offers.offer_status.isin(["OPEN", "PENDING"])]
    mine = items[items.offer_id.isin(standing.id)].drop_duplicates(["offer_id", "product_variant_id"])
    return mine.groupby("product_variant_id").size().rename("open_offers").reset_index()


def generate_layer_2_push_csv(folder: Path, out: Path) -> int:
    """Do layer 2's job."""
    shoes = _shoes(folder)
    recent = _since(_undeleted(folder, "offers", "id created_at"), 7)
    items = _read(folder, "offer_items", "offer_id product_variant_id")
    targeted = items[items.offer_id.isin(recent.id)].merge(shoes, left_on="product_variant_id", right_on="variant")
    ranking = targeted.groupby("product_id").offer_id.nunique().rename("offers").reset_index()
    ranking = ranking.sort_values(["offers", "product_id"], ascending=[False, True]).head(10)
    ranking["rank"] = range(1, len(ranking) + 1)
    trending = shoes.merge(ranking, on="product_id")
    held = _tradeable(folder, "user_id product_variant_id")
    held = held.merge(trending, left_on="product_variant_id", right_on="variant")
    seen = _seen(folder)
    held = held.merge(seen[seen.last_active >= _NOW - pd.Timedelta(days=90)], on="user_id")
    chosen = held.sort_values(["rank", "variant"]).drop_duplicates("user_id")
    people = _people(folder, "username first_name email")
    chosen = chosen.merge(people[people.email.notna()], on="user_id").merge(_sizes(folder), on="user_id")
    chosen = chosen.merge(_open_offers(folder, items), on="product_variant_id")
    wishes = _undeleted(folder, "wishlist_items", "user_id product_variant_id")
    chosen = chosen.merge(_counted(wishes, "wishlist_count", folder), on="product_variant_id", how="left")
    kept = chosen[chosen.open_offers >= 2]
    return sum(_written(rows, out / f"{top}.csv") for top, rows in kept.groupby(kept["rank"] == 1))


def generate_showcase_push_csvs(folder: Path, out: Path) -> int:
    """Do the showcase's job."""
    shown = _shoes(folder)
    shown = shown[shown.product_id == product()].rename(columns={"variant": "product_variant_id"})
    sizes, seen = _sizes(folder), _seen(folder)
    closet = _tradeable(folder, "user_id product_variant_id")
    wishes = _undeleted(folder, "wishlist_items", "user_id product_variant_id")
    fitting = sizes.merge(shown, left_on="usersize", right_on="size")[["user_id", "product_variant_id"]]
    links = pd.concat([frame.assign(kind=kind) for kind, frame in enumerate((closet, wishes, fitting))])
    links = links.merge(shown[["product_variant_id", "size"]], on="product_variant_id").merge(sizes, on="user_id")
    links = links.merge(seen[seen.last_active >= _NOW - pd.Timedelta(days=90)], on="user_id")
    links["other_size"] = links["size"] != links.usersize
    chosen = links.sort_values(["kind", "other_size", "product_variant_id"]).drop_duplicates("user_id")
    chosen = chosen.merge(_people(folder, "first_name"), on="user_id")
    items = _read(folder, "offer_items", "offer_id product_variant_id")
    items = items[items.product_variant_id.isin(shown.product_variant_id)]
    week = items[items.offer_id.isin(_since(_undeleted(folder, "offers", "id created_at"), 7).id)]
    trades = _read(folder, "trades", "id offer_id validation_passed_date")
    trades = trades[trades.validation_passed_date >= _NOW - pd.Timedelta(days=30)]
    chosen["product_offers_7d"] = week.offer_id.nunique()
    chosen["product_trades_30d"] = trades[trades.offer_id.isin(items.offer_id)].id.nunique()
    lately = week.groupby("product_variant_id").offer_id.nunique().rename("variant_offers_7d").reset_index()
    for counts in (
        lately,
        _open_offers(folder, items),
        _counted(wishes, "wishlist_count", folder),
        _counted(closet, "inventory_count", folder),
    ):
        chosen = chosen.merge(counts, on="product_variant_id", how="left")
    kept = chosen[(chosen.kind > 0) | (chosen.open_offers >= 2)]
    return sum(_written(rows, out / f"{kind}.csv") for kind, rows in kept.groupby("kind"))
