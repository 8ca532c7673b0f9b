"""The members and how active each is: one row a member, before anything has happened.

Member i is a newcomer if i % 17 = 5 (6%). Newcomers, however many, join evenly between 22 days before and 8 days
after the anchor. They cycle through the five levels of the new-user waterfall in fixed proportions, so that every
window of two weeks has every level even in a world of 2,000.
"""

from local.sample.table import Part

_BUILD = """
CREATE MACRO newcomer_level(i) AS
    CASE WHEN i % 17 = 5 THEN [1, 2, 3, 1, 4, 5, 1, 2, 3, 1, 4, 5, 2, 1, 3, 4, 5, 2, 1, 3][1 + i // 17 % 20]
         ELSE 0 END;

-- Any number of multiples of the golden ratio, modulo 1, fill an interval evenly (Weyl).
CREATE MACRO even(label, n) AS (n * 0.6180339887498949::DOUBLE + unit(label, 'phase')) % 1;

-- The marketplace grew: older members joined up to three years before the anchor, more of them lately.
CREATE MACRO join_days(i) AS
    CASE WHEN i % 17 = 5 THEN 30 * even('joined', i // 17) - 22
         ELSE -22 - 1073 * (1 - sqrt(1 - unit('joined', i))) END;

CREATE TABLE members AS
WITH traits AS (
    SELECT i, newcomer_level(i) AS level, days(join_days(i)) AS joined,
        -- Pareto: half of the members stay below 1.5, one in a thousand is at the limit. Some old ones are inactive.
        CASE WHEN i % 17 <> 5 AND unit('asleep', i) < 0.18 THEN 0
             ELSE least(40, pow(1 - unit('zeal', i), -0.55)) END AS zeal,
        floor(13 * (unit('foot 1', i) + unit('foot 2', i) + unit('foot 3', i)) / 3)::INTEGER AS foot
    FROM range(getvariable('users')) t(i)
)
SELECT *,
    CASE level WHEN 0 THEN draw('closet', i, 2.1 * zeal)
               WHEN 1 THEN 0
               ELSE 1 + draw('closet', i, least(zeal, 5)) END AS closet,
    CASE level WHEN 0 THEN draw('wishes', i, 2.2 * zeal)
               WHEN 4 THEN draw('wishes', i, 1.5)
               WHEN 5 THEN 1 + draw('wishes', i, least(zeal, 5))
               ELSE draw('wishes', i, 1.2 * zeal) END AS wishes,
    CASE WHEN level = 0 THEN draw('offers', i, 1.5 * zeal)
         WHEN level = 3 THEN 0
         WHEN level IN (4, 5) THEN 1 + draw('offers', i, least(zeal, 3))
         ELSE draw('offers', i, 0.7 * zeal) END AS offers,
    draw('desires', i, 1.4 * sqrt(zeal)) AS desires
FROM traits ORDER BY i;
"""

PART = Part(build=_BUILD, tables=())
