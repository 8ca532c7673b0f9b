SELECT member AS user_id, token, platform, seen AS updated_at FROM phones
