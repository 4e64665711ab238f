"""Turn the rows of a list into images; a row that is wrong costs that image only."""

import dagster as dg
from pydantic import ValidationError

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_name import check_name
from idr_assets.components.image_rows import OF_LISTS, Row, inline_rows, join_fields
from idr_assets.components.image_table import read_table
from idr_assets.components.images import describe_images, find_own_upstream
from idr_assets.components.list_fields import ListFields
from idr_assets.components.taken_names import take_name
from idr_assets.components.templates import fill_in
from idr_assets.components.yaml_model import explain_errors
from idr_assets.orchestration.image_list import ImageList, ListedImage


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
        rows = (
            read_table(self._context.path / images).rows if isinstance(images, str) else inline_rows(images, self._yaml)
        )
        for row in rows:
            try:
                found.images.append(self._read(row))
            except ValidationError as error:
                found.faults.append((row.place, explain_errors(error)))
            except ValueError as error:
                found.faults.append((row.place, str(error)))
        return found

    def _read(self, row: Row) -> ListedImage:
        row.check()
        name, given = check_name(row.name), fill_in(row.fields, self._yaml.at_path("images"))
        fields = ImageFields(**join_fields(self._common, given))
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
