SELECT user_id, token, platform, updated_at FROM devices
