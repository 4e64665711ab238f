"""Every row of a Dagster event log, with what differs from run to run taken out."""

import re

import sqlalchemy as db
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata

PASSING = [
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
    (r'("timestamp": |"data_version_timestamp": )[\d.]+', r"\1TIME"),
    (r"\b\d{10}\.\d+", "TIME"),
    (r'"pid": \d+|pid: \d+|\{"text": "\d+"\}', "PID"),
    (r'"log_key": "\w+"', "KEY"),
    (r'"duration_ms": [\d.]+|[\d.]+m?s\b', "DURATION"),
]
"""What passes, and what stands in its place."""

type Rows = dict[str, list[dict[str, object]]]


def stored_rows(url: str) -> Rows:
    """Read each table of a database, its rows in the order in which they came."""
    engine = db.create_engine(url)
    with engine.connect() as connection:
        tables = SqlEventLogStorageMetadata.sorted_tables
        rows = {table.name: connection.execute(table.select().order_by(table.c.id)).mappings() for table in tables}
        found = {name: [{key: _lasting(value) for key, value in row.items()} for row in rows[name]] for name in rows}
    engine.dispose()
    return found


def _lasting(value: object) -> object:
    if not isinstance(value, str):
        return value if value is None or isinstance(value, int) else type(value)
    for pattern, place in PASSING:
        value = re.sub(pattern, place, value)
    return value
