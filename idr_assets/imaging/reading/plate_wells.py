"""Which wells a plate has, by its metadata."""

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.ome_zarr.groups import read_attributes
from idr_assets.imaging.ome_zarr.metadata import ome_metadata
from idr_assets.imaging.ome_zarr.multiscales import is_path_below
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.wells import Well, parse_well


def list_wells(address: str, store: ChunkStore) -> dict[Well, str]:
    """Return the paths of the wells that a plate lists; `ImageError` if there is no plate."""
    url = mask(address)
    try:
        attributes = read_attributes(url, store)
    except ImageError as error:
        raise store.documents.refusal() or error from None
    metadata = ome_metadata(attributes)
    plate = metadata.get("plate")
    if not isinstance(plate, dict) or not isinstance(plate.get("wells"), list):
        message = f"{url} is no OME-Zarr plate: its metadata list no wells. Check `url`."
        if "multiscales" in metadata:
            message = f"{url} is an image, not a plate: write `type: idr_assets.SegmentedImage`."
        raise ImageError(message)
    paths = [it.get("path") for it in plate["wells"] if isinstance(it, dict)]
    return {well: path for path in paths if isinstance(path, str) and is_path_below(path) and (well := _well_of(path))}


def _well_of(path: str) -> Well | None:
    try:
        return parse_well(path.replace("/", ""))
    except ValueError:
        return None
