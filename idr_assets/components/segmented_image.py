"""The Dagster component that turns one YAML file into the assets and jobs of one image.

`image_fields` defines the fields of the YAML, `orchestration` what the assets do.
"""

from collections.abc import Sequence
from typing import Self

import dagster as dg
from pydantic import BaseModel, ValidationError

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_name import image_name, usable_name
from idr_assets.components.images import describe_images, find_own_upstream
from idr_assets.components.scaffold import CommentedYaml
from idr_assets.components.shared_resources import shared_resources
from idr_assets.components.taken_names import take_name
from idr_assets.components.templates import check_post_processing, fill_in, locate
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_definitions import image_definitions


@dg.scaffold_with(CommentedYaml)
class SegmentedImage(dg.Component, ImageFields, dg.Resolvable):
    """An OME-Zarr image to segment plane by plane: source, label planes over T x Z, figures and objects."""

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
        """Fill in the YAML's templates, such as `{{ env.NAME }}`, and validate the result."""
        try:
            return cls(**fill_in(model.model_dump(exclude_unset=True), context))
        except ValidationError as error:
            raise locate(error, context) from None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Build the image's definitions; the YAML's folder names the image."""
        self._check_name(context)
        self._check_upstream(context)
        images = describe_images(self, image_name(context.path), context.project_root)
        return self._define(images, context)

    def _define(self, images: Sequence[Image], context: dg.ComponentLoadContext) -> dg.Definitions:
        return image_definitions(images, self.automation).with_resources(shared_resources(images, context))

    def _check_name(self, context: dg.ComponentLoadContext) -> None:
        name = image_name(context.path)
        if taken := take_name(name, self, context):
            other = usable_name(f"{context.path.parent.name}_{name}")
            message = (
                f"{taken} and {context.path / 'defs.yaml'} describe images of the same name, {name!r}: "
                f"their assets and outputs would mix, so nothing was loaded. Rename the folder of one, for example to "
                f"{other}."
            )
            raise dg.DagsterInvalidDefinitionError(message)

    def _check_upstream(self, context: dg.ComponentLoadContext) -> None:
        if own := find_own_upstream(self, image_name(context.path)):
            message = (
                f"`upstream` in {context.path / 'defs.yaml'} names {own!r}, an asset that is made from this image, "
                "so neither could be made first. Name assets that produce the image."
            )
            raise dg.DagsterInvalidDefinitionError(message)
