"""The Dagster component that turns one YAML file into the assets and jobs of one image.

`image_fields` defines the fields of the YAML, `orchestration` what the assets do.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

import dagster as dg
from pydantic import BaseModel, ValidationError

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_parts import Segmentation
from idr_assets.components.scaffold import CommentedYaml, image_name, usable_name
from idr_assets.components.templates import check_post_processing, fill_in, locate
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.segmentation.named_function import import_function
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.orchestration.assets.names import MADE
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_definitions import image_definitions

SHARED = ({field.name for field in fields(Image)} & ImageFields.model_fields.keys()) - {"segmentation"}
"""Fields that an image takes unchanged from its YAML."""

_BUILT: WeakKeyDictionary[object, dict[str, tuple[dg.Component, Path]]] = WeakKeyDictionary()
"""The images built so far in each load of a project, with their folders."""


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
        named = self.segmentations.items() or [(None, self.segmentation)]
        images = [self._image(context, name, segmentation) for name, segmentation in named]
        return image_definitions(images, self.automation)

    def _check_name(self, context: dg.ComponentLoadContext) -> None:
        name, images = image_name(context.path), _BUILT.setdefault(context.component_tree.state_tracker, {})
        first, folder = images.setdefault(name, (self, context.path))
        if first is not self:
            other = usable_name(f"{context.path.parent.name}_{name}")
            message = (
                f"{folder / 'defs.yaml'} and {context.path / 'defs.yaml'} describe images of the same name, {name!r}: "
                f"their assets and outputs would mix, so nothing was loaded. Rename the folder of one, for example to "
                f"{other}."
            )
            raise dg.DagsterInvalidDefinitionError(message)

    def _check_upstream(self, context: dg.ComponentLoadContext) -> None:
        keys = [key.split("/") for key in self.upstream]
        own = ["/".join(key) for key in keys if key[0] == image_name(context.path) and key[-1] in MADE]
        if own:
            message = (
                f"`upstream` in {context.path / 'defs.yaml'} names {own[0]!r}, an asset that is made from this image, "
                "so neither could be made first. Name assets that produce the image."
            )
            raise dg.DagsterInvalidDefinitionError(message)

    def _image(
        self, context: dg.ComponentLoadContext, segmentation_name: str | None, segmentation: Segmentation
    ) -> Image:
        function = import_function(segmentation.function)
        shared: dict[str, Any] = {name: getattr(self, name) for name in SHARED}
        lists = {name: tuple(value) for name, value in shared.items() if isinstance(value, list)}
        return Image(
            name=image_name(context.path),
            project=context.project_root,
            address=self.url or str(self.endpoint).replace("{image_id}", str(self.image_id)),
            recipe=Recipe(segmentation.function, function, segmentation.parameters, tuple(self.channels)),
            segmentation=segmentation_name,
            patience=Patience.model_validate(self.reading, from_attributes=True),  # workers know no components
            missing_chunks=self.reading.missing_chunks,
            **self.window.ranges(self.shape) | shared | lists,
        )
