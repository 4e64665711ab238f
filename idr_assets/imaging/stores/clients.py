"""The clients of HTTP and S3, each imported when it is first asked for.

They take half a second, which images and outputs in a folder should not pay. Write `clients.aiohttp.ClientError`.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp
    from botocore import exceptions as botocore_errors

    from idr_assets.imaging.stores import http_source, s3_source

__all__ = ["aiohttp", "botocore_errors", "http_source", "s3_source"]

MODULES = {
    "aiohttp": "aiohttp",
    "botocore_errors": "botocore.exceptions",
    "http_source": "idr_assets.imaging.stores.http_source",
    "s3_source": "idr_assets.imaging.stores.s3_source",
}


def __getattr__(name: str) -> ModuleType:
    if name not in MODULES:
        message = f"module {__name__} has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = module = import_module(MODULES[name])
    return module
