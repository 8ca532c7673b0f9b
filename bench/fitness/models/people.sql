SELECT CAST(id AS TEXT) AS user_id, city, plan, zone, level, joined FROM members
