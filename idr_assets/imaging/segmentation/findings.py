"""What a run found in its planes, for its remarks and checks, without what only the record of one plane needs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_quality import find_fault
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, Result


@dataclass
class Findings:
    """Counts what became of planes. Of a plane with nothing unusual, only its number of objects is kept.

    Attributes
    ----------
    objects : dict of Plane to int
        The planes that are stored, with their numbers of objects.
    failures : list of PlaneFailure
        The planes that failed.
    unusable : dict of Plane to str
        Why the pixels of planes are of no use.
    foreground : float
        The sum over planes of the share of labelled pixels.
    reused, compared : int
        How many planes were read from the output, and how many were segmented alone too.

    """

    objects: dict[Plane, int] = field(default_factory=dict)
    failures: list[PlaneFailure] = field(default_factory=list)
    unusable: dict[Plane, str] = field(default_factory=dict)
    foreground: float = 0.0
    reused: int = 0
    compared: int = 0

    @classmethod
    def of(cls, results: Iterable[Result]) -> Self:
        """Count these results."""
        findings = cls()
        findings.add(results)
        return findings

    def add(self, results: Iterable[Result]) -> None:
        """Count more results."""
        for result in results:
            if isinstance(result, PlaneFailure):
                self.failures.append(result)
                continue
            self.objects[result.plane] = result.objects
            self.foreground += result.foreground
            self.reused += result.reused
            self.compared += result.compared
            if reason := find_fault(result):
                self.unusable[result.plane] = reason

    def __len__(self) -> int:
        """Count the planes."""
        return len(self.objects) + len(self.failures)
