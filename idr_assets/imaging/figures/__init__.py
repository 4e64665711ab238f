"""Draw planes and counts for people. Only assets import this room."""
