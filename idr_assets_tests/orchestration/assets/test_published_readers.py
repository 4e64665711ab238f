"""A published image of a run, as ngio and RO-Crate's own library read it: pixels, labels, tables and provenance."""

import numpy as np
import pytest
from rocrate.rocrate import ROCrate

from idr_assets_tests.support.published_image import own, publish, segment_most
from idr_assets_tests.support.small_image import PLANES, Segmented


# AnnData asks pandas 3 for an option that is deprecated; rows are named by labels, which planes share.
@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option is deprecated")
@pytest.mark.filterwarnings("ignore:Observation names are not unique:UserWarning")
def test_ngio_reads_images_labels_and_tables(fresh: Segmented) -> None:
    from ngio import open_ome_zarr_container  # noqa: PLC0415  it takes seconds

    ready = segment_most(fresh)
    publish(ready, "1", "2")
    assert ready.run("objects", "1", "2") == ""
    crate = ROCrate(ready.project.root / "data/image/published.ome.zarr")
    (run,) = crate.get_by_type("CreateAction")
    assert run["description"].endswith(" timepoints 1, 2")
    assert {own(ready)["timepoints"][t]["run"] for t in "12"} == {run.id.removeprefix("#run-")}
    container = open_ome_zarr_container(ready.project.root / "data/image/published.ome.zarr", mode="r")
    labels, pixels = container.get_label("segmentation"), container.get_image()
    stored = ready.value("published")
    np.testing.assert_array_equal(labels.get_as_numpy(), stored["labels/segmentation/0"][...])
    np.testing.assert_array_equal(pixels.get_as_numpy(), stored["0"][...])
    assert labels.pixel_size == pixels.pixel_size
    assert container.list_tables() == ["objects", "object_counts"]
    table, wanted = container.get_feature_table("objects"), ready.value("objects")
    assert table.reference_label == "segmentation"
    assert table.dataframe.reset_index()[wanted.columns.to_list()].equals(wanted)
    assert table.load_as_anndata().to_df()["area_um2"].to_list() == wanted["area_um2"].to_list()
    counts = container.get_condition_table("object_counts").dataframe
    planes = [(t, c, z) for t, c, z in PLANES if (t, z) != (1, 10)]
    assert [*counts[["t", "c", "z"]].itertuples(index=False, name=None)] == planes
    numbers = wanted.groupby(["t", "c", "z"]).size().reindex(planes, fill_value=0)
    assert counts["objects"].to_list() == numbers.to_list()
