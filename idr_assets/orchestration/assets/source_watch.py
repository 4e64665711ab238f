"""Look, while a run works, whether the image is still the one that it started to read."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.growth import are_unchanged
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.segmentation.confirmation import remove_own_labels
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.source_version import (
    SourceVersion,
    describe_layout,
    has_only_grown,
    hasten,
    report_source,
)

if TYPE_CHECKING:
    from idr_assets.imaging.reading.level import Level

REPLACED = (
    "the image was replaced while the run read it, so that its pixels may be those of either image. Materialize it "
    "again, and all planes of the old image with `idr-assets resume %s --stale`."
)
UNSURE = (
    "the store did not answer when the run looked whether the image was replaced, so this plane does not count (%s). "
    "Materialize it again when the store answers."
)


class SourceWatch:
    """Tells which planes were certainly read from the image with which a run started.

    Attributes
    ----------
    image : Image
        The image.
    replaced : bool
        Whether the image was seen to be another one. Then no more planes are trusted.

    """

    def __init__(self, image: Image, started_with: SourceVersion) -> None:
        """Look at nothing yet."""
        self.replaced = False
        self._seen: tuple[Level, str] | None = None
        self.image, self._hasty, self._layout = image, hasten(image), started_with.layout
        self._same = {started_with.fingerprint}

    def distrust(self, found: Sequence[Result], trusted: Iterable[Plane], *, last: bool) -> list[Result]:
        """Look at the image, and turn what was found since the last look into failures if it was replaced.

        Labels of these planes are removed. `trusted` were found before the last look.

        Raises
        ------
        ImageError
            The store does not answer, and this is not the `last` look; after that one, all are failures.

        """
        planes = [*trusted, *(result.plane for result in found if isinstance(result, PlaneSummary))]
        try:
            self.replaced = self.replaced or not self._is_same(planes)
        except ImageError as error:
            if not last:
                raise
            return [fail(result, UNSURE % error) for result in found]
        if not self.replaced:
            return [*found]
        remove_own_labels(self.image.open_output(), found)
        return [fail(result, REPLACED % self.image.name) for result in found]

    def report_replaced(self, instance: dg.DagsterInstance, run_id: str) -> None:
        """Tell Dagster of the new image if the image was replaced, so that planes of the old one are stale at once."""
        if self.replaced and self._seen:
            report_source(instance, self.image, *self._seen, run_id)

    def _is_same(self, planes: Sequence[Plane]) -> bool:
        """Look at the image. One that has only grown is the same if these planes still have their pixels."""
        level = self._hasty.source.open()
        fingerprint = read_fingerprint(level, self._hasty.storage_options).digest
        self._seen = level, fingerprint
        if fingerprint not in self._same and has_only_grown(self._layout, describe_layout(level)):
            self._same |= {fingerprint} if are_unchanged(self.image.labels_url, level, planes) else set()
        return fingerprint in self._same


def fail(result: Result, reason: str) -> Result:
    """Turn the summary of a plane into a failure for a reason; a failure stays what it is."""
    return PlaneFailure(result.plane, reason) if isinstance(result, PlaneSummary) else result
