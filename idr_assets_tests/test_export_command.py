"""The command `idr-assets export`: which planes it writes where, and what it says if it cannot."""

import json
import sys
from itertools import product
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from idr_assets.commands.export import ENDS
from idr_assets_tests.support.command_project import call, enter_project
from idr_assets_tests.support.small_image import FIELDS, Segmented


# AnnData asks pandas 3 for an option that is deprecated.
@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option is deprecated")
def test_the_objects_of_planes_that_are_stored_are_written_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import anndata  # noqa: PLC0415  a second

    project = enter_project(tmp_path, monkeypatch)
    refused = call("export image --as csv")
    assert (refused.exit_code, "nothing was segmented yet" in refused.stderr) == (1, True)
    with dg.DagsterInstance.get() as instance:
        segmented = Segmented(project, instance)
        assert segmented.run("plane_labels", "1|09", "2|09") == segmented.run("objects", "1", "2") == ""
        wanted = segmented.value("objects")
    left_out = f"{len(wanted)} objects of 4 planes: image_objects.csv\n4 planes are not stored, and left out.\n"
    assert call("export image --as csv").stdout == left_out
    pd.testing.assert_frame_equal(pd.read_csv("image_objects.csv"), wanted, check_dtype=False)

    assert call("export image --as anndata --planes 1|09 --planes 2|09...2|10 --to own.h5ad").exit_code == 0
    found, measured = anndata.read_h5ad("own.h5ad"), ["area_um2", "intensity_mean"]
    np.testing.assert_array_equal(found.to_df()[measured], wanted[measured])
    np.testing.assert_array_equal(found.obs[["t", "c", "z", "label"]], wanted[["t", "c", "z", "label"]])
    np.testing.assert_array_equal(found.obsm["spatial"], wanted[["centroid_x", "centroid_y"]])
    assert found.var["meaning"]["area_um2"].startswith("area in µm²")
    assert found.obs_names[0] == "t1-c0-z9-1"

    of_one = (wanted["t"] == 2) & (wanted["z"] == 9)
    for kind, file in (("geojson", "image_objects.geojson"), ("omero-masks", "image_masks.json")):
        assert call(f"export image --as {kind} --planes 2|09").stdout == f"{of_one.sum()} objects of 2 planes: {file}\n"
        assert json.loads(Path(file).read_text())
    files = set(Path().iterdir())
    none = call("export image --as imagej-rois --planes 1|10")
    assert "None of these planes of image is stored, so nothing was written" in none.stderr
    assert "'5|09' is not in the window of image" in call("export image --as csv --planes 5|09").stderr
    for kind, folder in product(ENDS, ("none", "own.h5ad")):
        nowhere = call(f"export image --as {kind} --planes 2|09 --to {folder}/objects")
        assert f"{folder}/objects cannot be written (" in nowhere.stderr
        assert "Choose another place by --to" in nowhere.stderr
        assert "partial" not in nowhere.stderr
    monkeypatch.setitem(sys.modules, "anndata", None)
    absent = call("export image --as anndata")
    assert "anndata needs the package anndata, which is not installed, so nothing was written" in absent.stderr
    assert 'pip install "idr_assets[export]"' in absent.stderr  # right for a wheel as for a clone
    assert set(Path().iterdir()) == files


def test_geojson_has_the_numbers_of_measured_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = enter_project(tmp_path, monkeypatch)
    project.write(**FIELDS | {"channels": "[0]", "measure": "[1]"})
    with dg.DagsterInstance.get() as instance:
        assert Segmented(project, instance).run("plane_labels", "1|09") == ""
    for kind in ("csv", "geojson"):
        assert call(f"export image --as {kind} --to objects.{kind}").exit_code == 0
    features = json.loads(Path("objects.geojson").read_text())["features"]
    found = pd.DataFrame([feature["properties"]["measurements"] for feature in features])
    wanted = pd.read_csv("objects.csv").drop(columns=["image", "channel", "t", "c", "z", "label"])
    assert "intensity_mean_c1" in found
    pd.testing.assert_frame_equal(found[wanted.columns], wanted, check_dtype=False)
