"""The asset `<image>/object_counts`, or `plate_counts`: a figure of how many objects there are, and how large."""

from typing import Any

import dagster as dg

from idr_assets.orchestration.assets.conditions import when_settled
from idr_assets.orchestration.assets.derived import define_derived
from idr_assets.orchestration.assets.descriptions import of_object_counts, of_plate_counts
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.plate import Plate


def object_counts(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the PNG."""

    def write() -> dict[str, Any]:
        from idr_assets.orchestration.assets.work.object_counts import write_object_counts  # noqa: PLC0415
        from idr_assets.orchestration.assets.work.plate_counts import write_plate_counts  # noqa: PLC0415

        return write_plate_counts(image) if isinstance(image, Plate) else write_object_counts(image)

    return define_derived(
        image.key(image.measures[1]),
        [image.key("objects")],
        image.io,
        write,
        kinds={"matplotlib", *image.badge},
        description=of_plate_counts(image) if isinstance(image, Plate) else of_object_counts(image),
        automation_condition=when_settled(),
    )
