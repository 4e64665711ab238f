"""The Dagster component that turns one YAML file into the assets of many images."""

from typing import Self

import dagster as dg
from pydantic import BaseModel, PrivateAttr, ValidationError

from idr_assets.components.image_name import image_name
from idr_assets.components.list_fields import ListFields
from idr_assets.components.listed_images import ListReader
from idr_assets.components.scaffold import scaffold_example
from idr_assets.components.segmented_image import SegmentedImage
from idr_assets.components.shared_resources import shared_resources
from idr_assets.components.templates import fill_in, locate
from idr_assets.orchestration.list_definitions import list_definitions

EXAMPLE = {
    "level": "4",
    "shape": [532, 2, 988, 128, 135],
    "images": [{"name": "embryo_1", "url": "https://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0044A/4007801.zarr"}],
}


@dg.scaffold_with(scaffold_example(ListFields, "SegmentedImages", EXAMPLE, left_out=["url"]))
class SegmentedImages(ListFields, SegmentedImage):
    """OME-Zarr images to segment plane by plane, as a list with common fields: each has the assets of an image."""

    _yaml: dg.ResolutionContext = PrivateAttr()

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """Fill in the templates of the common fields, and validate the result; each image is filled in alone."""
        given = model.model_dump(exclude_unset=True)
        images = given.pop("images")
        try:
            found = cls(**fill_in(given, context), images=images)
        except ValidationError as error:
            raise locate(error, context) from None
        found._yaml = context
        return found

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Build the definitions of all images; the YAML's folder names the list. Rows that are wrong are logged."""
        self._check_name(context)
        name = image_name(context.path)
        found = ListReader(self, name, self._yaml, context).read()
        lines = "\n".join(found.describe_faults())
        if not found.images:
            message = f"No image of {name} can be loaded, so none is there. Correct:\n{lines}"
            raise dg.DagsterInvalidDefinitionError(message)
        if lines:
            dg.get_dagster_logger("idr_assets").warning("Images of %s that are not loaded:\n%s", name, lines)
        return list_definitions(found, self.automation).with_resources(shared_resources(found.every, context))
