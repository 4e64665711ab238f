"""Note the origins of planes that a run has stored."""

import logging
from itertools import chain
from typing import TypeGuard

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import Block
from idr_assets.imaging.segmentation.in_flight import Outcome
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary

logger = logging.getLogger(__name__)


class OriginNotes:
    """Notes the origins of planes that are stored; workers cannot, because several blocks share a chunk of origins.

    If origins cannot be noted, a warning says so once. The planes are stored all the same.
    """

    def __init__(self, origins: Origins | None, output: OutputImage) -> None:
        """Note nothing yet; nothing at all if there are no origins."""
        self._origins, self._output = origins, output

    def note(self, block: Block, outcome: Outcome[PlaneSummary]) -> None:
        """Note the origins of a block, if it is stored."""
        try:
            if self._origins and is_stored(outcome):
                stored, origins = (
                    self._output.pixel_block(block),
                    dict(chain.from_iterable(it.origins for it in outcome)),
                )
                self._origins.note(stored, [origins.get(plane) for plane in stored.planes()])
        except ImageError as error:
            logger.warning("%s When these and later planes are materialized again, they will be fetched again.", error)
            self._origins = None


def is_stored(outcome: Outcome[PlaneSummary]) -> TypeGuard[list[PlaneSummary]]:
    """Return whether all planes of a block are stored."""
    return isinstance(outcome, list) and not any(isinstance(plane, PlaneFailure) for plane in outcome)
