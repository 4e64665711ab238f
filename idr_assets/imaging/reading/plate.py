"""Open the fields of a plate: metadata of all at once, then all fields as one level.

The timepoints of that level are those of all fields, one field after the other, so that what reads an image reads a
plate too, many fields at once. Only fields of one layout fit into it: any other field is a field that failed.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import override

from idr_assets.imaging.errors import ImageError, check_address, join_address, mask
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.opening import open_chunk_store
from idr_assets.imaging.reading.plate_fields import OpenField, open_fields
from idr_assets.imaging.reading.plate_wells import list_wells
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.stores.pipelines import ask_at_once
from idr_assets.imaging.stores.stacked_array import Stack, stack_arrays
from idr_assets.imaging.wells import Field

PROBED = 3
"""Fields of which a plane is probed before a run, until one passes."""


@dataclass(frozen=True, kw_only=True)
class PlateLevel(Level):
    """The fields of a plate that were opened, as one level; other fields have no pixels in it.

    Attributes
    ----------
    fields : mapping of int to OpenField
        By their numbers in the list of the plate's fields.
    failures : mapping of int to str
        Why others cannot be read, for a person.

    """

    fields: Mapping[int, OpenField] = field(repr=False)
    failures: Mapping[int, str]

    @property
    def bare(self) -> Level:
        """The level without what is known of each field, so that it is cheap to send to a worker."""
        return Level(self.address, self.path, self.geometry, self.array)


@dataclass(frozen=True, kw_only=True)
class PlateSource(Source):
    """Fields of a plate in its store, in plain values; nothing is read when it is made.

    Attributes
    ----------
    shape : tuple of int
        The expected shape TCZYX of each field.
    fields : tuple of Field
        The fields that may be read.
    times : range
        The timepoints of each that may be read.

    """

    fields: tuple[Field, ...]
    times: range

    @override
    def open(self, wanted: Collection[int] | None = None) -> PlateLevel:
        """Read the metadata of the plate and of the wanted fields, by default of all, several at once.

        Raises
        ------
        ImageError
            If there is no plate at the address, or none of the fields can be read; it says why for the first.

        """
        check_address(self.address)
        store = open_chunk_store(self.address, self.storage_options, self.patience)
        wells = list_wells(self.address, store)
        folders = [f"{wells.get(it.well, it.well.path)}/{it.number}" for it in self.fields]
        chosen = range(len(self.fields)) if wanted is None else sorted(wanted)
        listed = [at for at in chosen if self.fields[at].well in wells]
        failures = {
            at: f"{mask(self.address)} has no well {self.fields[at].well.name}" for at in chosen if at not in listed
        }
        version = 3 if store.documents.first_sent() == "zarr.json" else 2
        metadata = open_chunk_store(self.address, self.storage_options, self.patience)
        each = dict(zip(listed, open_fields(metadata, [folders[at] for at in listed], self._of, version), strict=True))
        failures |= {at: it for at, it in each.items() if isinstance(it, str)}
        opened = {at: it for at, it in each.items() if isinstance(it, OpenField)}
        if not opened:
            message = (
                f"None of {len(chosen)} fields of the plate {mask(self.address)} can be read: {failures[chosen[0]]}"
            )
            raise ImageError(message)
        like, others = _find_layout(opened, self.fields)
        failures |= {at: others for at in opened if opened[at].layout != like.layout}
        fields = {at: it for at, it in opened.items() if at not in failures}
        stacked = self._stack(store, like.level, tuple(f"{folder}/{self.level}" for folder in folders))
        return PlateLevel(**vars(stacked), fields=fields, failures=failures)

    @override
    def check(self, level: Level) -> None:
        """Do nothing: each field was checked when it was opened."""

    @override
    def probe(self, level: Level, window: Block) -> None:
        """Probe a plane of a field as of an image; `ImageError` if those of several fields do not pass."""
        opened = [it.level for it in level.fields.values()] if isinstance(level, PlateLevel) else []
        chosen = opened[:: max(1, len(opened) // PROBED)][:PROBED]
        for last, each in enumerate(chosen, 1 - len(chosen)):
            try:
                return self._of("").probe(each, replace(window, t=self.times))
            except ImageError:
                if last == 0:
                    raise
        return None

    def _of(self, folder: str) -> Source:
        return Source(
            address=join_address(self.address, folder),
            level=self.level,
            shape=self.shape,
            dtype=self.dtype,
            storage_options=self.storage_options,
            patience=self.patience,
            missing_chunks=self.missing_chunks,
        )

    def _stack(self, store: ChunkStore, like: Level, folders: tuple[str, ...]) -> Level:
        axes = like.geometry.axes
        stack = Stack(folders, self.times, axes.index("t") if "t" in axes else None)
        store.verification.chunks = like.store.verification.chunks
        array = stack_arrays(like.array, store, stack)
        ask_at_once(array, self.patience.requests)
        geometry = like.geometry if "t" in axes else replace(like.geometry, axes=("t", *axes))
        return Level(address=self.address, path="", geometry=geometry, array=array)


def _find_layout(opened: Mapping[int, OpenField], fields: tuple[Field, ...]) -> tuple[OpenField, str]:
    """Return a field of the most common layout, and why fields of any other layout are not read."""
    ((most, _),) = Counter(it.layout for it in opened.values()).most_common(1)
    at = next(at for at, it in opened.items() if it.layout == most)
    reason = (
        f"shape, dtype, chunks, codecs or axes of this field are not those of {fields[at].name} and most others, so it "
        "cannot be read with them. Leave it out of the YAML, or read it as an image of its own."
    )
    return opened[at], reason
