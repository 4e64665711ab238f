"""Assets, partitions and runs: Dagster only. Nothing here works on pixels."""
