"""A Dagster whose internals are not those that the project knows, but which works."""

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqlEventLogStorage

from idr_assets_tests.support.dagster_home import ROOT

needs_batches = pytest.mark.skipif(
    f"\ndagster=={dg.__version__} " not in (ROOT / "requirements.txt").read_text(),
    reason="batches build on the internals of the locked Dagster; others that are allowed may run without them",
)


def change_dagster() -> None:
    """Give a method a parameter more, as a release may, for this process."""
    as_row = SqlEventLogStorage._event_to_row  # noqa: SLF001

    def changed(storage: SqlEventLogStorage, event: object, more: tuple[object, ...] = ()) -> object:
        return as_row(storage, event, *more)  # type: ignore[arg-type]

    pytest.MonkeyPatch().setattr(SqlEventLogStorage, "_event_to_row", changed)
