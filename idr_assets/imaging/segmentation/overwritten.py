"""Tell which planes of a run are no longer stored as it wrote them: another run may write the same planes at once."""

from collections.abc import Sequence

from idr_assets.imaging.output.output_image import LabelImage
from idr_assets.imaging.output.read_back import marks
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary

OVERWRITTEN = (
    "it was overwritten meanwhile by another run, or can no longer be read, so that what this run found of it is not "
    "what is stored. Materialize it again while no other run writes it."
)


def confirmed(output: LabelImage, found: Sequence[PlaneSummary | PlaneFailure]) -> list[PlaneSummary | PlaneFailure]:
    """Make a failure of each summary of a plane that the output does not hold as it was written.

    This is to be the last look before a report: unseen stays only a run that writes a plane after this look and reports
    it before this run does.
    """
    summaries = [result for result in found if isinstance(result, PlaneSummary)]
    stored = marks(output, [summary.plane for summary in summaries])
    seen = zip(summaries, stored, strict=True)
    lost = {summary.plane for summary, mark in seen if mark is None or mark != summary.mark}
    return [PlaneFailure(it.plane, OVERWRITTEN, written=True) if it.plane in lost else it for it in found]
