"""Check that planes are still stored as a run wrote them: before a report, and before their labels are removed."""

from collections.abc import Sequence

from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.output.writing import remove_labels
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result

OVERWRITTEN = (
    "it was overwritten meanwhile by another run, or can no longer be read, so that the results of this run are not "
    "those of what is stored. Materialize it again while no other run writes it."
)


def confirm_planes(output: OutputImage, found: Sequence[Result]) -> list[Result]:
    """Turn results of planes into failures where they do not hold any more, see `SegmentationRun.confirm`."""
    summaries = [result for result in found if isinstance(result, PlaneSummary)]
    stored = read_checksums(output, [summary.plane for summary in summaries])
    seen = zip(summaries, stored, strict=True)
    lost = {summary.plane for summary, checksum in seen if checksum is None or checksum != summary.checksum}
    return [PlaneFailure(it.plane, OVERWRITTEN, written=True) if it.plane in lost else it for it in found]


def remove_own_labels(output: OutputImage, found: Sequence[Result]) -> None:
    """Remove the labels that a run wrote; planes that another run has overwritten meanwhile keep theirs."""
    for result in confirm_planes(output, found):
        if isinstance(result, PlaneSummary):
            remove_labels(output, result.plane.block)
