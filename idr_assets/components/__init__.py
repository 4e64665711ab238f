"""What YAML may say, and the Dagster components it becomes. No pixels and no runs here."""
