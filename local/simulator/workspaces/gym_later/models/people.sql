SELECT id AS user_id, name, goal, locale FROM users
