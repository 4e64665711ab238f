"""What runs automatically: schedules, sensors, and which planes are missing. Assets never import it."""
