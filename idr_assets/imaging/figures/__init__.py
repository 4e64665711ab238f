"""Draw planes and counts for people. Apart from the rest of `imaging`: only assets import it."""
