SELECT CAST(member_id AS TEXT) AS user_id, started_at AS at, minutes, kind FROM workouts
