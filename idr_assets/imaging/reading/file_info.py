"""What a store says about a file without sending it, such as its ETag."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from zarr.core.sync import sync

from idr_assets.imaging.reading.faults import read_faults, status_of
from idr_assets.imaging.reading.retries import PATIENT, Patience, ask_patiently
from idr_assets.imaging.stores.by_address import open_source


def read_file_info(
    url: str, storage_options: Mapping[str, Any] | None = None, patience: Patience = PATIENT
) -> dict[str, Any] | None:
    """Ask a store about a file, with the same patience as reads; None where the file does not exist."""
    filesystem, path = open_source(url, storage_options)
    info: dict[str, Any] | None = sync(ask_patiently(url, patience, partial(_info, filesystem, path)))
    return info


async def _info(filesystem: Any, path: str) -> Any:  # noqa: ANN401  any of fsspec's
    try:
        return await filesystem._info(path)  # noqa: SLF001  fsspec's name of the asynchronous method
    except FileNotFoundError as error:
        # fsspec raises this for HTTP whatever the server answers.
        cause = error.__cause__
        if isinstance(cause, read_faults()) and status_of(cause) != HTTPStatus.NOT_FOUND:
            raise cause from None
        return None
