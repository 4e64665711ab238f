"""The Dagster component that turns one YAML file into the assets of many images."""

from typing import Self

import dagster as dg
from pydantic import BaseModel, PrivateAttr, ValidationError

from idr_assets.components.dask_cluster import default_resources
from idr_assets.components.image_name import image_name
from idr_assets.components.list_fields import ListFields
from idr_assets.components.listed_images import ListReader
from idr_assets.components.taken_names import take_name
from idr_assets.components.templates import check_post_processing, fill_in, locate
from idr_assets.orchestration.list_definitions import list_definitions


class SegmentedImages(dg.Component, ListFields, dg.Resolvable):
    """OME-Zarr images to segment plane by plane, as a list with common fields: each has the assets of an image."""

    _yaml: dg.ResolutionContext = PrivateAttr()

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Validate the YAML with this class itself, so that every error comes with file and line."""
        return cls

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Create the component from the validated YAML; refuse `post_processing` that could run code."""
        check_post_processing(context)
        return super().load(attributes, context)

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
        name = image_name(context.path)
        if taken := take_name(name, self, context):
            message = (
                f"{taken} and {context.path / 'defs.yaml'} have the same name, {name!r}, so nothing was loaded. Rename "
                "the folder of one."
            )
            raise dg.DagsterInvalidDefinitionError(message)
        found = ListReader(self, name, self._yaml, context).read()
        lines = "\n".join(found.describe_faults())
        if not found.images:
            message = f"No image of {name} can be loaded, so none is there. Correct:\n{lines}"
            raise dg.DagsterInvalidDefinitionError(message)
        if lines:
            dg.get_dagster_logger("idr_assets").warning("Images of %s that are not loaded:\n%s", name, lines)
        return list_definitions(found, self.automation).with_resources(default_resources(context))
