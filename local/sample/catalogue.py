"""The catalogue: 400 products in 13 sizes. Ten products are gone from the shop, but their variants remain.

A variant's number is 13 * product + size. Product 0 is the most popular. Size s is US men's 7 + s / 2.
A world without users has no catalogue.
"""

from local.sample.table import Part, Table

_BUILD = """
CREATE MACRO size_text(s) AS (7 + s // 2) || CASE WHEN s % 2 = 1 THEN '.5' ELSE '' END;
CREATE MACRO is_gone(product) AS product % 40 = 19;

-- Zipf's law with exponent 1 over 400 products; mostly in the member's own size, sometimes half a size off.
CREATE MACRO fitting(label, key, foot) AS
    CASE WHEN unit(label || ' fit', key) < 0.08 THEN greatest(foot - 1, 0)
         WHEN unit(label || ' fit', key) < 0.16 THEN least(foot + 1, 12)
         ELSE foot END;
CREATE MACRO popular_variant(label, key, foot) AS
    13 * floor(pow(401, unit(label || ' rank', key)) - 1)::INTEGER + fitting(label, key, foot);

CREATE TABLE catalogue AS
SELECT product, product * 37 % 400 AS design -- so that products of neighbouring rank differ in brand
FROM range(CASE WHEN getvariable('users') > 0 THEN 400 ELSE 0 END) t(product) ORDER BY product;

CREATE TABLE variants AS
SELECT 13 * product + size AS variant, product, size
FROM (SELECT product, unnest(range(13)) AS size FROM catalogue) ORDER BY variant;

CREATE TABLE vocabulary AS
SELECT n, CASE WHEN n < 13 THEN size_text(n) ELSE getvariable('brands')[n - 12] END AS word
FROM range(CASE WHEN getvariable('users') > 0 THEN 13 + len(getvariable('brands')) ELSE 0 END) t(n) ORDER BY n;
"""

PART = Part(
    build=_BUILD,
    tables=(
        Table(
            name="attributes",
            query="""
SELECT identity('attribute', name) AS id, name
FROM (SELECT unnest(['mens_size', 'brand', 'colorway']) AS name) WHERE getvariable('users') > 0""",
        ),
        Table(
            name="attribute_values",
            query="SELECT identity('value', n) AS id, word AS value FROM vocabulary",
        ),
        Table(
            name="products",
            query="""
SELECT identity('product', product) AS id,
    getvariable('brands')[1 + design // 40] || ' ' || getvariable('models')[1 + design // 5 % 8]
    || ' ' || getvariable('colours')[1 + design % 5] AS name
FROM catalogue WHERE NOT is_gone(product)""",
        ),
        Table(
            name="product_variants",
            query="""
SELECT identity('variant', variant) AS id, identity('product', product) AS product_id,
    '{"mens_size": "' || size_text(size) || '"}' AS index_cache
FROM variants""",
        ),
    ),
)
