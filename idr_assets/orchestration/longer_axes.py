"""Rename what is stored after an image grew: keys are padded to the length of their axis, and may become longer.

Records and files with shorter keys get the longer ones, so that planes that are done stay done.
"""

import re
from collections.abc import Sequence

import dagster as dg

from idr_assets.imaging.planes import index_key
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.records_lock import lock_records


def rename_shorter_keys(instance: dg.DagsterInstance, image: Image) -> None:
    """Rename planes and tables of objects from keys of a shorter image to those of the image as it is now.

    Longer keys stay: they come from definitions that were loaded after the image grew.
    """
    from idr_assets.orchestration.event_log.renamed_partitions import rename_partitions  # noqa: PLC0415

    t, z = image.shape[0], image.shape[2]
    for asset, lengths in (("objects", [t]), ("plane_labels", [t, z])):
        key = dg.AssetKey(image.key(asset))
        full = len(_key("|".join("0" * len(lengths)), lengths))
        shorter = [old for old in instance.get_materialized_partitions(key) if len(old) < full]
        names = {old: new for old in shorter if len(new := _key(old, lengths)) > len(old)}
        for old, new in names.items() if asset == "objects" else ():
            from idr_assets.imaging.output.files import move_file  # noqa: PLC0415  zarr, for an image that grew only

            move_file(f"{image.objects_url}/t={old}.parquet", f"{image.objects_url}/t={new}.parquet")
        if names:
            with lock_records(instance, image):
                rename_partitions(instance, key, names)


def _key(key: str, lengths: Sequence[int]) -> str:
    """Pad the indices of a key to the lengths of their axes; keep a key of another form."""
    indices = key.split("|")
    if len(indices) != len(lengths) or not all(re.fullmatch("[0-9]+", index) for index in indices):
        return key
    return "|".join(index_key(int(index), length) for index, length in zip(indices, lengths, strict=True))
