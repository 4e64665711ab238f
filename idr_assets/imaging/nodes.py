"""Create groups and arrays of the output: once, whoever comes first.

A node's document is written whole or not at all. What stands in it is the caller's affair.
"""

from collections.abc import Callable
from contextlib import suppress

from zarr.abc.store import Store
from zarr.errors import ContainsArrayError, ContainsGroupError

from idr_assets.imaging.files import clear_partials, room, undisturbed
from idr_assets.imaging.stores import open_store


def create_node(url: str, path: str, create: Callable[[Store], object]) -> None:
    """Call `create` unless the node `path` is in the store at `url`; `ImageError` when there is no space left."""
    store = open_store(url)

    def once() -> None:
        with suppress(ContainsArrayError, ContainsGroupError):
            create(store)

    with room(url):
        undisturbed(once)
    clear_partials(store, path)
