SELECT id AS user_id, joined FROM members
