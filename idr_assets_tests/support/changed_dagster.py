"""A Dagster whose internals are not those that the project knows, but which works."""

import pytest
from dagster._core.storage.event_log import SqlEventLogStorage


def change_dagster() -> None:
    """Give a method a parameter more, as a release may, for this process."""
    as_row = SqlEventLogStorage._event_to_row  # noqa: SLF001

    def changed(storage: SqlEventLogStorage, event: object, more: tuple[object, ...] = ()) -> object:
        return as_row(storage, event, *more)  # type: ignore[arg-type]

    pytest.MonkeyPatch().setattr(SqlEventLogStorage, "_event_to_row", changed)
