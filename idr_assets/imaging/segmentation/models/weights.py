"""Weights of models: which they are, by their SHA-256, and where on this machine they lie."""

import fcntl
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from idr_assets.imaging.errors import ImageError, is_web, mask, split_query
from idr_assets.imaging.segmentation.models.digests import cache_folder, digest_file, digest_path, write_whole
from idr_assets.imaging.segmentation.named_function import find_called, import_function

NAME = "weights"
"""The parameter of a model that is a path or an address."""

PIN = re.compile(r"(?P<address>.*)#sha256=(?P<digest>[0-9a-fA-F]{64})")


class WeightsError(ImageError):
    """Weights do not exist, cannot be fetched, or are others than those that are named."""


def split_pin(weights: str) -> tuple[str, str | None]:
    """Split weights into their address and the SHA-256 that stands behind it, None if there is none."""
    found = PIN.fullmatch(weights)
    return (found["address"], found["digest"].lower()) if found else (weights, None)


def check_weights(weights: str) -> str:
    """Return weights; raise `ValueError` for an address without the SHA-256 that proves what is fetched."""
    if "://" in weights and "{{" not in weights and split_pin(weights)[1] is None:
        message = (
            f"{mask(weights)} does not say which weights these are, by which planes are up to date or stale; write "
            "their SHA-256 behind it, `...#sha256=<64 digits>`, as `sha256sum` prints it for the downloaded file"
        )
        raise ValueError(message)
    return weights


def map_weights(
    function: Callable[..., Any], parameters: Mapping[str, Any], change: Callable[[str], str]
) -> dict[str, Any]:
    """Return parameters of a function with the weights changed, also those of a function that it calls."""
    found = dict(parameters)
    if hasattr(function, "model") and isinstance(found.get(NAME), str):
        found[NAME] = change(found[NAME])
    if called := find_called(function, parameters):
        found["parameters"] = map_weights(import_function(called[0]), called[1], change)
    return found


def digest_weights(weights: str) -> str:
    """Return the SHA-256 of weights: what stands behind their address, or that of a file or folder, '' if absent."""
    address, pinned = split_pin(weights)
    return pinned or digest_path(Path(address).expanduser())


def pin_weights(weights: str) -> str:
    """Write the SHA-256 of weights behind their address; raise `WeightsError` if they do not exist."""
    if digest := digest_weights(weights):
        return f"{split_pin(weights)[0]}#sha256={digest}"
    message = (
        f"The weights {weights} do not exist, so no planes are segmented. Correct `weights`: a relative path in a YAML "
        "is below IDR_ASSETS_DATA."
    )
    raise WeightsError(message)


def open_weights(weights: str) -> Path:
    """Return where weights lie on this machine; those of an address are fetched once, and verified.

    Raises
    ------
    WeightsError
        If they do not exist, cannot be fetched, or are not those of the SHA-256 behind their address.

    """
    address, digest = split_pin(pin_weights(weights))
    path = _fetch(address, str(digest)) if "://" in address else Path(address).expanduser()
    if (found := digest_path(path)) != digest:
        is_now = f"have the SHA-256 {found}" if found else "do not exist"
        message = (
            f"The weights {mask(address)} {is_now}, not {digest}, so no planes are segmented with them: they were "
            "replaced, or damaged. Correct `weights`, or put the file of that SHA-256 there."
        )
        raise WeightsError(message)
    return path


def _fetch(address: str, digest: str) -> Path:
    """Fetch weights into the cache unless they are there; of several workers of this machine, one does."""
    folder = cache_folder("weights") / digest
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / (split_query(address)[0].rpartition("/")[2] or NAME)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.is_file() or digest_file(file) != digest:
            with write_whole(file) as part:
                _download(address, part)
    return file


def _download(address: str, file: Path) -> None:
    from idr_assets.imaging.reading.faults import status_of  # noqa: PLC0415  fsspec, for addresses alone
    from idr_assets.imaging.stores.by_address import open_filesystem  # noqa: PLC0415
    from idr_assets.imaging.stores.clients import http_source  # noqa: PLC0415

    path, query = split_query(address)
    try:
        if is_web(address):
            filesystem = http_source.HttpSource(server="/".join(address.split("/")[:3]), query=query)
        else:
            filesystem, path = open_filesystem(address)
        filesystem.get_file(path, str(file))
    except Exception as error:
        status = status_of(error)  # the error itself may quote the query
        reason = (
            f"status {status}" if status else " ".join([type(error).__name__, getattr(error, "strerror", None) or ""])
        )
        message = (
            f"The weights {mask(address)} cannot be fetched ({reason.strip()}), so no planes are segmented with them. "
            "Correct `weights`, or download the file and name its path."
        )
        raise WeightsError(message) from error
