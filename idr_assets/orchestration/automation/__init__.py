"""What runs by itself: schedules, sensors, and which planes are still missing. Assets never import it."""
