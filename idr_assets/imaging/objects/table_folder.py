"""Keep the folder of an image's tables of objects free of tables that it no longer has."""

import re
from collections.abc import Collection

from idr_assets.imaging.output.files import remove_file
from idr_assets.imaging.stores.by_address import open_filesystem

_OWN = re.compile(r"\.?((?:t|well)=.*\.parquet)(\..*\.partial)?")  # a table, or the partial file of a killed writer


def keep_tables(folder: str, urls: Collection[str]) -> None:
    """Remove all tables but `urls` from a folder: those of an earlier window, or with names of an earlier shape.

    Otherwise a reader of the folder would find objects that the image no longer has. Partial files of tables
    are removed too: of a table that is as it should be, no writer will.
    """
    filesystem, path = open_filesystem(folder)
    for file in filesystem.ls(path, detail=False) if filesystem.exists(path) else []:
        name = file.rpartition("/")[2]
        if (own := _OWN.fullmatch(name)) and (own[2] or f"{folder}/{own[1]}" not in urls):
            remove_file(f"{folder}/{name}")
