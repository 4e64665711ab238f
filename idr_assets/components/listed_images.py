"""Turn the rows of a list into images; a row that is wrong costs that image only."""

import dagster as dg
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_rows import OF_LISTS, Row, file_rows, inline_rows
from idr_assets.components.images import describe_images, find_own_upstream
from idr_assets.components.list_fields import ListFields
from idr_assets.components.scaffold import check_name
from idr_assets.components.taken_names import take_name
from idr_assets.components.templates import fill_in
from idr_assets.orchestration.image_list import ImageList, ListedImage

REPLACED = {
    "url": {"image_id", "endpoint"},
    "image_id": {"url"},
    "segmentation": {"segmentations"},
    "segmentations": {"segmentation"},
}
"""Fields of the list that a field of an image replaces, because an image has one or the other."""


class ListReader:
    """Reads the images of a list once.

    Parameters
    ----------
    fields
        The component, which has the fields of the list.
    name
        Name of the list.
    yaml
        The lines of the YAML.
    context
        Its folder and project.

    """

    def __init__(  # noqa: D107  above
        self, fields: ListFields, name: str, yaml: dg.ResolutionContext, context: dg.ComponentLoadContext
    ) -> None:
        self._fields, self._name, self._yaml, self._context = fields, name, yaml, context
        self._common = fields.model_dump(exclude_unset=True, exclude=set(OF_LISTS))
        self._places: dict[str, str] = {}

    def read(self) -> ImageList:
        """Read each image."""
        images = self._fields.images
        found = ImageList(self._name, self._context.project_root, self._fields.group_by)
        rows = file_rows(self._context.path / images) if isinstance(images, str) else inline_rows(images, self._yaml)
        for row in rows:
            try:
                found.images.append(self._read(row))
            except ValidationError as error:
                found.faults.append((row.place, "; ".join(map(_explain, error.errors()))))
            except ValueError as error:
                found.faults.append((row.place, str(error)))
        return found

    def _read(self, row: Row) -> ListedImage:
        row.check()
        name, given = check_name(row.name), fill_in(row.fields, self._yaml.at_path("images"))
        replaced = set[str]().union(*(REPLACED.get(field, ()) for field in given))
        kept = {field: value for field, value in self._common.items() if field not in replaced}
        fields = ImageFields(**kept | given)
        if own := find_own_upstream(fields, name):
            message = f"`upstream` names {own!r}, an asset that is made from this image; name assets that produce it"
            raise ValueError(message)
        self._take(name, row.place)
        images = describe_images(fields, name, self._context.project_root, self._name)
        return ListedImage(row.place, images, row.own)

    def _take(self, name: str, place: str) -> None:
        taken = self._places.get(name.lower()) or take_name(name, self._fields, self._context)
        if taken:
            message = f"{taken} has the same name, {name!r}, and the outputs of both would mix; rename one"
            raise ValueError(message)
        self._places[name.lower()] = place


def _explain(error: ErrorDetails) -> str:
    place, message = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
