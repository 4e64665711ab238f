"""What storages have with batches or without: the folder of the instance, and how many partitions are timed."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_IWGRP
from typing import Any, Self

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData

TIMED_PARTITIONS = 10_000
"""Partitions that may change between two looks of the daemon before it stops comparing their times.

Dagster's own limit is 100: beyond it, labels count as newer than figures of the same run, which are then drawn again. A
thousand take half a second.
"""


def time_partitions() -> None:
    """Set the number of compared times, which Dagster reads from the environment, for this process.

    It is set by every process that opens the instance: the UI and the daemon import no definitions.
    """
    os.environ.setdefault("DAGSTER_MAX_PARTITIONS_FOR_DA_TIMESTAMP_FETCH", str(TIMED_PARTITIONS))


class InstanceSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's event log in SQLite, in the folder of its instance, which no setting names."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        """Wait for the instance, whose folder holds the events."""
        self._inst_data = inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the settings: there are none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Create the storage that dagster.yaml names."""
        return cls(inst_data, **config_value)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Open the events of an instance, in the folder that Dagster's own storage uses."""
        time_partitions()
        SqliteEventLogStorage.__init__(self, str(Path(instance.root_directory, "history", "runs")), self._inst_data)
        super().register_instance(instance)
        _share(Path(instance.root_directory))


def _share(home: Path) -> None:
    """Let the group that may write into an instance's folder write its databases: SQLite ignores the umask for that."""
    if not home.stat().st_mode & S_IWGRP:
        return
    for database in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
        with suppress(OSError):  # a database that is not there yet, or is another user's
            (home / database).chmod((home / database).stat().st_mode | S_IWGRP)
