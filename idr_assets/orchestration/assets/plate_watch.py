"""Look, while a run works, whether fields of a plate are still those that it started to read."""

from collections.abc import Iterable, Mapping, Sequence

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.file_info import read_file_infos
from idr_assets.imaging.reading.fingerprint import find_document, fingerprint
from idr_assets.imaging.reading.plate_fields import OpenField
from idr_assets.imaging.segmentation.confirmation import remove_own_labels
from idr_assets.imaging.segmentation.plane_results import PlaneSummary, Result
from idr_assets.orchestration.assets.source_watch import REPLACED, UNSURE, SourceWatch, fail
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.source_version import SourceVersion, hasten


class PlateWatch(SourceWatch):
    """Tells which planes were certainly read from the fields with which a run started.

    The store is asked about the fields of the planes that were found, once each time.
    """

    def __init__(self, plate: Plate, started_with: SourceVersion, fields: Mapping[int, OpenField]) -> None:
        """Look at nothing yet; `fields` are those that the run opened."""
        super().__init__(plate, started_with)
        self._fields, self._period, self._patience = fields, len(plate.times), hasten(plate).patience

    def distrust(self, found: Sequence[Result], trusted: Iterable[Plane], *, last: bool) -> list[Result]:  # noqa: ARG002
        """Ask about the fields of what was found, and turn planes of a field that was replaced into failures."""
        fields = sorted({it.plane.t // self._period for it in found if isinstance(it, PlaneSummary)})
        opened = [self._fields[at] for at in fields]
        options = self.image.storage_options
        infos = read_file_infos([find_document(it.level) for it in opened], options, self._patience)
        reasons: dict[int, str] = {}
        for at, field, info in zip(fields, opened, infos, strict=True):
            if isinstance(info, ImageError):
                if not last:
                    raise info
                reasons[at] = UNSURE % info
            elif fingerprint(field.level, info or {}).digest != field.fingerprint.digest:
                reasons[at] = REPLACED % self.image.name
        return [self._judge(it, reasons.get(it.plane.t // self._period)) for it in found]

    def _judge(self, result: Result, reason: str | None) -> Result:
        if reason is None:
            return result
        if isinstance(result, PlaneSummary):
            remove_own_labels(self.image.open_output(), [result])
        return fail(result, reason)
