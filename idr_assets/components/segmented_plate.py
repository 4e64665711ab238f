"""The Dagster component that turns one YAML file into the assets and jobs of one plate."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import override

import dagster as dg

from idr_assets.components.known_fields import read_fields
from idr_assets.components.plate_fields import ALL, OF_IMAGES, PlateFields
from idr_assets.components.scaffold import scaffold_example
from idr_assets.components.segmented_image import SegmentedImage
from idr_assets.imaging.objects.plate_layout import read_layout
from idr_assets.imaging.wells import Field
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.plate import Plate


@dg.scaffold_with(scaffold_example(PlateFields, "SegmentedPlate", left_out=OF_IMAGES))
class SegmentedPlate(PlateFields, SegmentedImage):
    """An OME-Zarr plate to segment: label planes over fields x Z, and what is made from them by well."""

    @override
    def _define(self, images: Sequence[Image], context: dg.ComponentLoadContext) -> dg.Definitions:
        known = read_fields(context.path) if ALL in {*self.wells, *self.fields} else ()
        of_plate = self.list_fields(known)
        if self.layout:
            read_layout(context.path / self.layout)  # it is read again when it is used: here it is only checked
        plates = [self._describe_plate(field, of_plate, context.path) for field in images]
        return super()._define(plates, context)

    def _describe_plate(self, field: Image, of_plate: tuple[Field, ...], folder: Path) -> Plate:
        """Describe the plate by an image that each of its fields is like."""
        rows = len(of_plate) * len(field.t)
        values = {each.name: getattr(field, each.name) for each in fields(Image)}
        values |= {"shape": (rows, *field.shape[1:]), "t": range(rows)}
        values |= {"layout": folder / self.layout if self.layout else None, "montage_field": self.montage_field}
        return Plate(**values, fields=of_plate, times=field.t, timepoints=field.shape[0])
