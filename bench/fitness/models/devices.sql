SELECT CAST(member_id AS TEXT) AS user_id, token, platform, updated_at FROM phones
