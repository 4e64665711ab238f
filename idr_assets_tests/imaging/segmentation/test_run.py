"""A segmentation run from plain Python, without Dagster: from an address to stored labels."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.provenance import Provenance, add_provenance, read_provenance
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.functions import gaussian_threshold
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.segmented_nuclei import check_planes
from idr_assets_tests.support.small_image import PIXELS, SHAPE

WINDOW = Block(range(1, 3), (0, 1), range(9, 11))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Write an image, and describe its level."""
    write_image(tmp_path / "source.zarr", PIXELS, version="0.4")
    return Source(str(tmp_path / "source.zarr"), "0", SHAPE, "uint16")


def prepare(source: Source, **parameters: Any) -> SegmentationRun:  # noqa: ANN401  of the function
    how = Recipe("gaussian_threshold", gaussian_threshold, parameters, WINDOW.c)
    return SegmentationRun.prepare(source, how, WINDOW, f"{source.address}.output")


def test_labels_are_those_of_the_recipe(source: Source, client: Client) -> None:
    run = prepare(source)
    found = run.confirm(list(run.segment(client, WINDOW, threads=2)))
    assert {it.plane for it in found if isinstance(it, PlaneSummary)} == set(WINDOW.planes())
    planes = WINDOW.planes()
    check_planes(run.output, planes, [PIXELS[plane.t, plane.c, plane.z] for plane in planes])
    assert list(run.remark_on(Findings.of(found))) == []


def test_the_record_says_how_the_labels_were_made(source: Source, client: Client) -> None:
    run = prepare(source, sigma=2.0)
    list(run.segment(client, WINDOW, threads=2))
    (record,) = read_provenance(run.output.url, "segmentation")
    assert record == run.provenance
    assert (record.url, record.channels, record.parameters) == (source.address, (0, 1), {"sigma": 2.0})
    assert record.packages.keys() == {"idr_assets", "dask-image", "scipy", "zarr"}


def test_a_record_of_an_earlier_version_is_read_as_far_as_it_goes() -> None:
    stored: dict[str, Any] = {
        "source": {"url": "https://127.0.0.1/a.zarr"},
        "segmentation": {"function": "f", "parameters": {}},
    }
    record = Provenance.from_json(stored)
    assert (record.url, record.function, record.fingerprint, record.packages) == (stored["source"]["url"], "f", "", {})
    assert Provenance.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    ("field", "changes"),
    [("shape", {"shape": (9, *SHAPE[1:])}), ("dtype", {"dtype": "uint8"}), ("Level", {"level": "1"})],
)
def test_a_source_that_is_not_as_expected_is_refused_and_nothing_is_written(
    source: Source, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(ImageError, match=field):
        prepare(replace(source, **changes))
    assert not Path(f"{source.address}.output").exists()


def test_planes_of_another_address_are_remarked_before_planes_are_segmented(source: Source) -> None:
    run = prepare(source)
    assert run.remarks == ()
    add_provenance(run.output, replace(run.provenance, url="https://127.0.0.1/other.zarr"))
    (remark,) = prepare(source).remarks
    assert remark.level == logging.WARNING
    assert "holds planes of https://127.0.0.1/other.zarr" in remark.text


def test_metadata_that_are_not_used_are_remarked_before_planes_are_segmented(source: Source) -> None:
    document = Path(source.address) / ".zattrs"
    document.write_text(document.read_text().replace('"scale": [', '"scale": [1, '))
    (remark,) = prepare(source).remarks
    assert remark.level == logging.WARNING
    assert remark.text.endswith("not 5 numbers: the size of its pixels is not known.")


def test_planes_without_objects_are_remarked(source: Source, client: Client) -> None:
    run = prepare(source, threshold_fraction=2.0)
    (remark,) = run.remark_on(Findings.of(run.segment(client, WINDOW, threads=2)))
    assert remark.level == logging.WARNING
    assert remark.text.startswith("no object in any of 8 planes: check whether gaussian_threshold with parameters {'th")


def test_a_plane_that_another_run_overwrote_is_no_longer_done(source: Source, client: Client) -> None:
    run = prepare(source)
    found = list(run.segment(client, WINDOW, threads=2))
    lost, *others = WINDOW.planes()
    list(prepare(source, threshold_fraction=0.9).segment(client, lost.block, threads=1))
    after = {it.plane: it for it in run.confirm(found)}
    assert isinstance(after[lost], PlaneFailure)
    assert all(isinstance(after[plane], PlaneSummary) for plane in others)
