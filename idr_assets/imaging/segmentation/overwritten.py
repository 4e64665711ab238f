"""Tell which planes of a run are no longer stored as it wrote them: another run may write the same planes at once."""

from collections.abc import Sequence

from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import checksums
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary

OVERWRITTEN = (
    "it was overwritten meanwhile by another run, or can no longer be read, so that what this run found of it is not "
    "what is stored. Materialize it again while no other run writes it."
)


def confirmed(output: OutputImage, found: Sequence[PlaneSummary | PlaneFailure]) -> list[PlaneSummary | PlaneFailure]:
    """Make a failure of each summary of a plane that the output does not hold as it was written.

    This is to be the last look before a report: unseen stays only a run that writes a plane after this look and reports
    it before this run does.
    """
    summaries = [result for result in found if isinstance(result, PlaneSummary)]
    stored = checksums(output, [summary.plane for summary in summaries])
    seen = zip(summaries, stored, strict=True)
    lost = {summary.plane for summary, checksum in seen if checksum is None or checksum != summary.checksum}
    return [PlaneFailure(it.plane, OVERWRITTEN, written=True) if it.plane in lost else it for it in found]
