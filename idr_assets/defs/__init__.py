"""What Dagster loads: a folder for each image, and what they share."""
