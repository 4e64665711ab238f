"""What Dagster knows of each plane after a run, be it a good one or not."""

import json
import re
from importlib.metadata import version

import numpy as np
import pytest
import scipy.ndimage
from sqlalchemy.exc import SQLAlchemyError

from idr_assets.orchestration.event_log import status
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, PIXELS, PLANES, Segmented, recipe

MISSING = "0/2/1/9/0/0"
"""The chunk of the plane t 2 c 1 z 9, below the image."""


def materializations(segmented: Segmented) -> list[str | None]:
    """List the partition of each event that tells of a plane, the latest first."""
    events = segmented.instance.fetch_materializations(segmented.project.key("plane_labels"), limit=100)
    return [record.partition_key for record in events.records]


def test_each_partition_is_told_once(segmented: Segmented) -> None:
    assert sorted(map(str, materializations(segmented))) == PARTITIONS


@pytest.mark.parametrize(("t", "c", "z"), PLANES)
def test_measures_of_each_plane_stand_under_its_channel(segmented: Segmented, t: int, c: int, z: int) -> None:
    metadata = segmented.metadata("plane_labels", f"{t}|{z:02}")
    pixels, labels = PIXELS[t, c, z], recipe(PIXELS[t, c, z])
    measures = {
        "objects": labels.max(),
        "threshold": 0.33 * scipy.ndimage.gaussian_filter(pixels, 1).max(),
        "foreground": np.mean(labels > 0),
        "minimum": pixels.min(),
        "maximum": pixels.max(),
        "saturated": 0,
    }
    assert {name: metadata[f"{name} (c {c})"] for name in measures} == pytest.approx(measures, rel=1e-5)
    assert 0 < metadata[f"seconds (c {c})"] < 60


def test_lineage_names_pixels_function_parameters_and_versions(segmented: Segmented) -> None:
    metadata = segmented.metadata("plane_labels", PARTITIONS[0])
    source = {name: segmented.metadata("source_image")[name] for name in ("url", "level", "fingerprint")}
    assert json.loads(metadata["source"]) == source | {"channels": [0, 1]}
    assert json.loads(metadata["segmentation"]) == {
        "function": "idr_assets.imaging.segmentation.gaussian_threshold",
        "version": "1",
        "parameters": {},
    }
    versions = json.loads(metadata["versions"])
    assert {"idr_assets", "dask-image", "scipy", "zarr"} <= versions.keys()
    assert versions == {package: version(package) for package in versions}


def test_a_few_planes_of_a_run_have_pictures(segmented: Segmented) -> None:
    metadata = {partition: segmented.metadata("plane_labels", partition) for partition in PARTITIONS}
    pictured = {key: [name for name in values if "outlines" in name] for key, values in metadata.items()}
    assert pictured == {key: outlined(key) if key != PARTITIONS[1] else [] for key in PARTITIONS}
    assert len(json.dumps(metadata[PARTITIONS[1]])) < 2000
    assert all(len(json.dumps(values)) < 60_000 for values in metadata.values())


def outlined(partition: str) -> list[str]:
    t, z = map(int, partition.split("|"))
    return [f"outlines, t {t} c {c} z {z}" for c in (0, 1)]


def test_a_run_of_one_plane_has_a_picture_below_60_kilobytes(one_plane: Segmented) -> None:
    metadata = one_plane.metadata("plane_labels", "1|0")
    assert metadata["outlines, t 1 c 0 z 0"].startswith("![](data:image/png;base64,")
    assert len(json.dumps(metadata)) < 60_000
    assert metadata["saturated"] == pytest.approx(4 / 2**18, abs=3e-5)
    assert metadata["maximum"] == 2**16 - 1  # one channel: its measures need no channel in their names


def test_a_missing_plane_costs_its_partition_alone(fresh: Segmented) -> None:
    chunk = fresh.project.root / "data" / "source.zarr" / MISSING
    content = chunk.read_bytes()
    chunk.unlink()
    failure = fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    assert re.findall(r"^(t \d+ c \d+ z \d+): ", failure, re.MULTILINE) == ["t 2 c 1 z 9"]
    assert str(chunk) in failure
    assert "Mend what needs it, then materialize missing and failed" in failure
    assert "`idr-assets resume image`" in failure
    others = [partition for partition in PARTITIONS if partition != "2|09"]
    assert fresh.materialized() == set(others)
    assert sorted(map(str, materializations(fresh))) == others
    assert fresh.metadata("plane_labels", "2|10")["objects (c 1)"] == recipe(PIXELS[2, 1, 10]).max()
    chunk.write_bytes(content)
    assert fresh.run("plane_labels", "2|09") == ""
    assert fresh.materialized() == set(PARTITIONS)
    assert sorted(map(str, materializations(fresh))) == PARTITIONS


def kept_status(segmented: Segmented) -> set[str] | None:
    """Give the partitions that are done by the answer that Dagster keeps for the UI."""
    key = segmented.project.key("plane_labels")
    partitions = segmented.definitions.resolve_asset_graph().get(key).partitions_def
    (record,) = segmented.instance.get_asset_records([key])
    kept = record.asset_entry.cached_status
    assert partitions
    return set(kept.deserialize_materialized_partition_subsets(partitions).get_partition_keys()) if kept else None


def test_a_run_after_many_events_brings_the_status_that_the_ui_shows_up_to_date(
    fresh: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fresh.run("plane_labels", "2|10") == ""
    assert kept_status(fresh) is None
    monkeypatch.setattr(status, "MANY", 4)
    (fresh.project.root / "data" / "source.zarr" / MISSING).unlink()
    assert fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[1]) == ""
    assert kept_status(fresh) == {*PARTITIONS[:2], "2|10"}
    assert "2|10" not in fresh.run("plane_labels", *PARTITIONS[2:])
    assert kept_status(fresh) == fresh.materialized() == {*PARTITIONS[:2], "2|10"}


def test_the_status_of_other_partitions_is_made_anew_for_those_of_the_window(
    fresh: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "MANY", 0)
    assert fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1]) == ""
    fresh.project.write(**FIELDS | {"window": "{t: [1, 2], z: [10, 11]}"})
    monkeypatch.setattr(status, "MANY", 4)  # more than the next run, and fewer than all
    assert fresh.run("plane_labels", "1|11") == ""
    assert kept_status(fresh) == {"1|10", "2|10", "1|11"}


def test_a_database_that_refuses_the_status_fails_no_run(fresh: Segmented, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        message = "database is locked"
        raise SQLAlchemyError(message)

    monkeypatch.setattr(status, "MANY", 0)
    monkeypatch.setattr(status, "get_and_update_asset_status_cache_value", refuse)
    assert fresh.run("plane_labels", "2|10") == ""
    (run,) = fresh.instance.get_runs()
    messages = [entry.user_message for entry in fresh.instance.all_logs(run.run_id)]
    (told,) = [message for message in messages if "database is locked" in message]
    assert "The status of partitions was not updated, so the UI will have to" in told
    assert fresh.materialized() == {"2|10"}
