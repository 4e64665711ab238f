"""The columns that tables of objects of a plate have beside those of an image."""

from typing import Final

import pyarrow as pa

PLATE_COLUMNS: Final = (
    ("row", "string", "letters of the well's row"),
    ("column", "int32", "number of the well's column, from 1"),
    ("well", "string", "name of the well, such as B03"),
    ("field", "int32", "number of the field in its well"),
)


def plate_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema of tables of a plate: these columns follow the first, the plate's name."""
    added = [pa.field(name, kind, metadata={"meaning": meaning}) for name, kind, meaning in PLATE_COLUMNS]
    return pa.schema([schema.field(0), *added, *(schema.field(at) for at in range(1, len(schema)))])
