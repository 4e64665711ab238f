"""A run whose instance has no space for a while, as a process of its own: prints how often each event is stored.

`python -m idr_assets_tests.support.full_home HOME`: HOME is a folder on a small disk.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path

import dagster as dg

from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.empty_planes import PLANES, RANGE, SOME
from idr_assets_tests.support.event_rows import stored_rows
from idr_assets_tests.support.when_away import when_away


def main(home: Path) -> None:
    """Tell of planes while the disk is full; print the result of the run, and the events of planes by database."""

    @dg.asset(partitions_def=PLANES, backfill_policy=dg.BackfillPolicy.single_run())
    def planes(context: dg.AssetExecutionContext) -> None:
        for key in context.partition_keys:
            context.add_asset_metadata({"long": "?" * 50_000}, partition_key=key)  # more than a database has to spare
        with (home / "balloon").open("wb", buffering=0) as balloon, suppress(OSError):
            while True:
                balloon.write(bytes(512))

    with project_instance(home) as instance, when_away((home / "balloon").unlink):
        result = dg.materialize([planes], instance=instance, tags=dict(zip(RANGE, SOME, strict=True)))
        (run,) = instance.get_runs()
    rows = [stored_rows(f"sqlite:///{path}")["event_logs"] for path in (home / "history/runs").glob("*.db")]
    events = [[[row["dagster_event_type"], row["partition"]] for row in each if row["partition"]] for each in rows]
    freed = not (home / "balloon").exists()
    print(json.dumps({"success": result.success, "state": run.status.name, "freed": freed, "events": events}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
