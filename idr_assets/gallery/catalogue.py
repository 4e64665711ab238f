"""Which images there are, read again when a YAML or a list has changed."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

from starlette.exceptions import HTTPException

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.orchestration.data_folder import data_url
from idr_assets.orchestration.image import Image
from idr_assets.project import all_images, load_definitions

_DESCRIBING = {".yaml", ".yml", ".csv", ".tsv"}

type Images = Mapping[str, Sequence[Image]]
type Stamps = frozenset[tuple[Path, int]]


class Catalogue:
    """The images of the definitions in a module; nothing is loaded before the first question."""

    def __init__(self, module: str) -> None:  # noqa: D107  above
        self.module = module
        self._lock = Lock()
        self._loaded: tuple[Stamps, Images] | None = None

    def read_again(self) -> Images:
        """Return all images by name, each once for each of its segmentations, as the files say that describe them.

        Raises `ImageError` if they cannot be loaded.
        """
        with self._lock:
            stamps: Stamps = frozenset()
            with suppress(Exception):  # whatever importing the module's package raises; the load says it
                stamps = self._stamps()
            if self._loaded is None or self._loaded[0] != stamps:
                sys.modules.pop(self.module, None)  # it keeps what it has loaded
                self._loaded = stamps, all_images(load_definitions(self.module))
            return self._loaded[1]

    @property
    def images(self) -> Images:
        """The images as they were read last."""
        return self._loaded[1] if self._loaded else self.read_again()

    def find(self, name: str) -> Sequence[Image]:
        """Return the image of a name, once for each of its segmentations; answer with 404 if there is none."""
        if not (found := self.images.get(name)):
            raise HTTPException(404, f"There is no image {name!r}. The gallery lists all of them.")
        return found

    def folder(self) -> str:
        """Return the folder with all outputs; `ImageError` if there is no image, or outputs are not on a disk."""
        image = next(iter(self.images.values()), [None])[0]
        if image is None:
            message = "There is no image, so there is nothing to show. Add one: idr-assets add NAME ADDRESS"
            raise ImageError(message)
        if "://" in (folder := data_url(image.project)):
            message = (
                f"The gallery shows files of a folder, but IDR_ASSETS_DATA names {mask(folder)}, so nothing is shown. "
                "Open what is there by its address, for example with napari: idr-assets show IMAGE"
            )
            raise ImageError(message)
        return folder

    def _stamps(self) -> Stamps:
        module = find_spec(self.module)
        stamps = set()
        for path in Path(module.origin).parent.rglob("*") if module and module.origin else ():
            with suppress(FileNotFoundError):  # it was removed just now
                if path.suffix in _DESCRIBING:
                    stamps.add((path, path.stat().st_mtime_ns))
        return frozenset(stamps)
