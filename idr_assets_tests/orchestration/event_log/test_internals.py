"""Dagster's internals as they are, and as a release may change them."""

from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core import events
from dagster._core.execution.context import metadata_logging, system
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage, schema
from dagster._core.storage.event_log.base import AssetEntry
from dagster_postgres import PostgresEventLogStorage

from idr_assets.orchestration.event_log.internals import differences
from idr_assets_tests.support.changed_dagster import needs_batches

pytestmark = needs_batches


def store_more(storage: Any, event: dg.EventLogEntry) -> None:  # noqa: ANN401  any storage
    """Do something else for an event than what is known."""
    storage.prepare_insert_event(event)
    storage.wipe_asset(event)


CHANGES: dict[str, tuple[object, str, object]] = {
    "store_event: {": (SqliteEventLogStorage, "store_event", store_more),
    "_event_to_row: [": (SqliteEventLogStorage, "_event_to_row", lambda self, event, more=None: (self, event, more)),
    "schema:AssetKeyTable": (schema, "AssetKeyTable", db.Table("keys", db.MetaData(), db.Column("id", db.Integer))),
    "AssetMetadataHandle: [": (metadata_logging, "AssetMetadataHandle", events.DagsterEventBatchMetadata),
    "metadata of a step": (system.StepExecutionContext, "__init__", lambda self: self),
    "last_materialization_storage_id": (AssetEntry.__mro__[1], "last_materialization_storage_id", None),
    "_get_assets_details": (SqlEventLogStorage, "_get_assets_details", None),
}
"""What is said of an attribute that has another value, or none."""


@pytest.mark.parametrize("storage", [SqliteEventLogStorage, PostgresEventLogStorage])
def test_the_installed_dagster_is_known(storage: type) -> None:
    assert list(differences(storage)) == []


@pytest.mark.parametrize("said", CHANGES)
def test_a_change_is_named(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, changed = CHANGES[said]
    if changed is None:
        monkeypatch.delattr(owner, attribute)
    else:
        monkeypatch.setattr(owner, attribute, changed)
    assert said in next(differences(SqliteEventLogStorage), "")
