SELECT CAST(member_id AS TEXT) AS user_id, at FROM visits
