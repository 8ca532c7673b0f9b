SELECT user_id FROM people
