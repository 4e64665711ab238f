"""What a store says about a file without sending it, such as its ETag."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from zarr.core.sync import sync

from idr_assets.imaging.errors import ImageError
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


def read_file_infos(
    urls: Sequence[str], storage_options: Mapping[str, Any] | None = None, patience: Patience = PATIENT
) -> list[dict[str, Any] | ImageError | None]:
    """Ask a store about several of its files at once; an error stands for a file about which it cannot be asked."""
    found: list[dict[str, Any] | ImageError | None] = sync(_ask_all(urls, storage_options, patience)) if urls else []
    return found


async def _ask_all(
    urls: Sequence[str], storage_options: Mapping[str, Any] | None, patience: Patience
) -> list[dict[str, Any] | ImageError | None]:
    filesystem, _ = open_source(urls[0], storage_options)

    async def ask(url: str) -> dict[str, Any] | ImageError | None:
        path = open_source(url, storage_options)[1]
        try:
            found: dict[str, Any] | None = await ask_patiently(url, patience, partial(_info, filesystem, path))
        except ImageError as error:
            return error
        return found

    return await asyncio.gather(*map(ask, urls))


async def _info(filesystem: Any, path: str) -> Any:  # noqa: ANN401  any of fsspec's
    try:
        return await filesystem._info(path)  # noqa: SLF001  fsspec's name of the asynchronous method
    except FileNotFoundError as error:
        # fsspec raises this for HTTP whatever the server answers.
        cause = error.__cause__
        if isinstance(cause, read_faults()) and status_of(cause) != HTTPStatus.NOT_FOUND:
            raise cause from None
        return None
