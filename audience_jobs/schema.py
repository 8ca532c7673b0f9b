"""The source tables that jobs read, as they are in the product's PostgreSQL database.

Times are UTC. `deleted_at` is 0 for what is not deleted. An `id` is compared as text, and one that is a valid UUID is
read in lower case, so that two tables that spell it differently still join.
"""

from typing import Literal

ColumnType = Literal["id", "text", "integer", "boolean", "timestamp", "json"]

SOURCE_TABLES: dict[str, dict[str, ColumnType]] = {
    "users": {
        "id": "id",
        "username": "text",
        "first_name": "text",
        "email": "text",
        "bio": "text",
        "avatar_id": "id",
        "created_at": "timestamp",
        "deleted_at": "integer",
        "is_trusted_trader": "boolean",
        "completed_trades_count": "integer",
    },
    "user_activities": {"user_id": "id", "last_active": "timestamp"},
    "user_preferences": {"id": "id", "user_id": "id"},
    "attribute_preferences": {
        "user_preference_id": "id",
        "attribute_id": "id",
        "attribute_value_id": "id",
        "preferred": "boolean",
    },
    "attributes": {"id": "id", "name": "text"},
    "attribute_values": {"id": "id", "value": "text"},
    "products": {"id": "id", "name": "text"},
    "product_variants": {"id": "id", "product_id": "id", "index_cache": "json"},
    "inventory_items": {
        "id": "id",
        "user_id": "id",
        "product_variant_id": "id",
        "status": "text",
        "created_at": "timestamp",
        "deleted_at": "integer",
    },
    "wishlist_items": {
        "id": "id",
        "user_id": "id",
        "product_variant_id": "id",
        "created_at": "timestamp",
        "deleted_at": "integer",
    },
    "desired_items": {
        "user_id": "id",
        "product_variant_id": "id",
        "offers_count": "integer",
        "created_at": "timestamp",
        "deleted_at": "integer",
    },
    "offers": {
        "id": "id",
        "creator_user_id": "id",
        "receiver_user_id": "id",
        "offer_status": "text",
        "created_at": "timestamp",
        "deleted_at": "integer",
    },
    "offer_items": {"id": "id", "offer_id": "id", "product_variant_id": "id"},
    "trades": {"id": "id", "offer_id": "id", "validation_passed_date": "timestamp"},
    "user_admin_informations": {
        "user_id": "id",
        "is_trusted_trader_candidate": "boolean",
        "freeze_reason": "text",
    },
    "devices": {"user_id": "id", "token": "text", "platform": "text", "updated_at": "timestamp"},
}

PRIVATE_TABLES = frozenset({"devices"})
PRIVATE_COLUMNS: dict[str, frozenset[str]] = {"users": frozenset({"email"})}
"""What only Tminus and audience jobs read: no query of a recipe, of the API or of the command line may."""


def public_columns(table: str) -> dict[str, ColumnType]:
    """Return the columns of a table that every query may read, with their types."""
    private = PRIVATE_COLUMNS.get(table, frozenset())
    return {name: type_ for name, type_ in SOURCE_TABLES[table].items() if name not in private}
