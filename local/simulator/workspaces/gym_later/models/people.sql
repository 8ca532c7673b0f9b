SELECT id AS user_id, locale FROM users
