"""Say which output cannot be read or written, why, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores import clients
from idr_assets.imaging.stores.by_address import is_s3


@contextmanager
def explain_reads(url: str, path: str) -> Iterator[None]:
    """Turn damaged metadata, or a store that refuses to read, into an `ImageError` that names the node of the output.

    `FileNotFoundError` passes.
    """
    where = f"{mask(url)}/{path}".rstrip("/")
    try:
        yield
    except FileNotFoundError:
        raise
    except _faults(url) as error:
        message = f"{where} cannot be read ({_cite(error)}), so nothing was done. {_remedy(url)}"
        raise ImageError(message) from error
    except ValueError as error:
        message = (
            f"The metadata of {where} are damaged ({_cite(error)}), so nothing was done. Restore them from a copy, or "
            "move the output away and materialize all of its planes again."
        )
        raise ImageError(message) from error


@contextmanager
def explain_writes(url: str) -> Iterator[None]:
    """Turn a full disk, or a store that refuses to write, into an `ImageError` that names the output."""
    try:
        yield
    except _faults(url) as error:
        if getattr(error, "errno", None) not in (ENOSPC, EDQUOT):
            message = f"{mask(url)} cannot be written ({_cite(error)}): nothing is stored there. {_remedy(url)}"
            raise ImageError(message) from error
        message = (
            f"No space left for {mask(url)}: this is not stored, and what was stored before is intact. Free space, "
            "or move the output and set IDR_ASSETS_DATA to its new place; then materialize again."
        )
        raise ImageError(message) from error


def _faults(url: str) -> tuple[type[Exception], ...]:
    return (OSError, clients.botocore_errors.BotoCoreError) if is_s3(url) else (OSError,)


def _cite(error: Exception) -> str:
    return cite(getattr(error, "strerror", None) or error) or type(error).__name__


def _remedy(url: str) -> str:
    if is_s3(url):
        return "Check IDR_ASSETS_DATA, AWS_ENDPOINT_URL and the credentials, which botocore takes from AWS_* variables."
    return "Set IDR_ASSETS_DATA to a folder that can be read and written, or correct the rights of this one."
