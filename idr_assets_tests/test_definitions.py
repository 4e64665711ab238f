"""All that the real project defines: what is added, renamed or lost shows here."""

from typing import Any

import dagster as dg
import pytest

from idr_assets.definitions import defs

ASSETS = {
    # key: group, kinds, keys of what it is made from
    "demo/montage": ("demo", {"matplotlib"}, ["demo/plane_labels"]),
    "demo/object_counts": ("demo", {"matplotlib"}, ["demo/objects"]),
    "demo/objects": ("demo", {"parquet"}, ["demo/plane_labels"]),
    "demo/plane_browser": ("demo", {"html"}, ["demo/plane_labels"]),
    "demo/plane_labels": ("demo", {"dask", "zarr"}, ["demo/source_image"]),
    "demo/published": ("demo", {"dask", "zarr"}, ["demo/plane_labels"]),
    "demo/source_image": ("demo", {"zarr"}, ["demo/synthetic_embryo"]),
    "demo/synthetic_embryo": ("demo", {"numpy", "zarr"}, []),
    "idr0044/montage": ("idr0044", {"matplotlib"}, ["idr0044/plane_labels"]),
    "idr0044/object_counts": ("idr0044", {"matplotlib"}, ["idr0044/objects"]),
    "idr0044/objects": ("idr0044", {"parquet"}, ["idr0044/plane_labels"]),
    "idr0044/plane_browser": ("idr0044", {"html"}, ["idr0044/plane_labels"]),
    "idr0044/plane_labels": ("idr0044", {"dask", "zarr"}, ["idr0044/source_image"]),
    "idr0044/source_image": ("idr0044", {"zarr"}, []),
}
PARTITIONS = {
    # key: first and last key of each dimension
    "demo/objects": {"t": ("01", "10")},
    "demo/plane_labels": {"t": ("01", "10"), "z": ("03", "12")},
    "demo/published": {"t": ("01", "10")},
    "idr0044/objects": {"t": ("261", "270")},
    "idr0044/plane_labels": {"t": ("261", "270"), "z": ("489", "498")},
}
JOBS = {
    # name: first and last partition, as its tags say
    "measure_demo": ("01", "10"),
    "measure_idr0044": ("261", "270"),
    "segment_demo": ("01|03", "10|12"),
    "segment_idr0044": ("261|489", "270|498"),
}
MEASURES = {"demo": {"objects", "object_counts", "published"}, "idr0044": {"objects", "object_counts"}}
"""What the job `measure_<image>` makes; `segment_<image>` makes all else."""

CHECKS = {
    # name: whether what is made from the asset waits for it
    "source_image:matches_yaml": True,
    "plane_labels:planes_stored": True,
    "plane_labels:source_planes_usable": False,
    "plane_labels:object_counts_like_neighbours": False,
    "plane_labels:planes_independent": True,
}
LINKS = {
    "IDR": "https://idr.openmicroscopy.org/webclient/?show=image-4007801",
    "paper": "https://doi.org/10.1016/j.cell.2018.09.031",
}
DESCRIBED = {
    # what a description says: shape, dtype, window, units
    "source_image": ["(532, 2, 988, 128, 135) (t, c, z, y, x) of uint16", "arbitrary units", *LINKS.values()],
    "plane_labels": ["(128, 135) (y, x) int32", "t 261 to 270, z 489 to 498, channels 0", "arbitrary units"],
}
AUTOMATION = ("missing", "watch", "refresh")
RESOURCES = {"dask", "image_io"}


@pytest.fixture(scope="module")
def project() -> dg.Definitions:
    return defs()


def ends(partitions: dg.PartitionsDefinition[Any]) -> dict[str, tuple[str, str]]:
    """Give the first and the last key of each dimension."""
    axes = partitions.partitions_defs if isinstance(partitions, dg.MultiPartitionsDefinition) else []
    keys = {axis.name: axis.partitions_def.get_partition_keys() for axis in axes} or {
        "t": partitions.get_partition_keys()
    }
    return {name: (axis[0], axis[-1]) for name, axis in keys.items()}


def test_assets(project: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in project.resolve_all_asset_specs()}
    found = {key: (spec.group_name, spec.kinds, [dep.asset_key for dep in spec.deps]) for key, spec in specs.items()}
    expected = {
        key: (group, kinds, [dg.AssetKey.from_user_string(made_from) for made_from in upstream])
        for key, (group, kinds, upstream) in ASSETS.items()
    }
    assert found == expected
    assert [key for key, spec in specs.items() if not spec.description] == []


def test_assets_say_what_they_are_of_whom_and_where_more_is_told(project: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in project.resolve_all_asset_specs()}
    assert [key for key, spec in specs.items() if spec.owners] == []  # people and teams are a user's own
    links = specs["idr0044/source_image"].metadata
    assert {name: value.value for name, value in links.items() if isinstance(value, dg.UrlMetadataValue)} == LINKS | {
        "gallery": "/gallery/image/idr0044"
    }
    source, labels = (specs[f"idr0044/{name}"].description or "" for name in ("source_image", "plane_labels"))
    assert [told for told in DESCRIBED["source_image"] if told not in source] == []
    assert [told for told in DESCRIBED["plane_labels"] if told not in labels] == []


def test_partitions(project: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec.partitions_def for spec in project.resolve_all_asset_specs()}
    assert {key: ends(partitions) for key, partitions in specs.items() if partitions} == PARTITIONS


def test_checks(project: dg.Definitions) -> None:
    specs = [spec for it in project.assets or () if isinstance(it, dg.AssetsDefinition) for spec in it.check_specs]
    found = {f"{spec.asset_key.to_user_string()}:{spec.name}": spec.blocking for spec in specs}
    assert found == {f"{image}/{name}": waits for image in ("demo", "idr0044") for name, waits in CHECKS.items()}
    assert [spec.name for spec in specs if not spec.description] == []


def test_jobs(project: dg.Definitions) -> None:
    tags = {job.name: dict(job.tags) for job in project.resolve_all_job_defs() if not job.name.startswith("__")}
    first, last = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
    assert tags == {name: {first: start, last: end} for name, (start, end) in JOBS.items()}


def test_two_jobs_run_everything_of_their_image(project: dg.Definitions) -> None:
    for name in JOBS:
        does, image = name.split("_")
        assets = project.resolve_job_def(name).asset_layer
        keys = {key.to_user_string() for key in assets.executable_asset_keys}
        measures = {f"{image}/{measure}" for measure in MEASURES[image]}
        assert keys == (measures if does == "measure" else {key for key in ASSETS if key.startswith(image)} - measures)
        assert len(assets.asset_graph.asset_check_keys) == (0 if does == "measure" else len(CHECKS))


def test_a_job_is_resolved_among_the_assets_of_its_image(project: dg.Definitions) -> None:
    among = project.resolve_job_def("measure_idr0044").asset_layer.asset_graph.source_asset_graph
    assert {key.path[0] for key in among.get_all_asset_keys()} == {"idr0044"}


def test_objects_of_a_timepoint_are_made_from_its_planes(project: dg.Definitions) -> None:
    graph = project.resolve_asset_graph()
    objects, labels = dg.AssetKey(["demo", "objects"]), dg.AssetKey(["demo", "plane_labels"])
    mapping = graph.get_partition_mapping(objects, labels)
    assert isinstance(mapping, dg.MultiToSingleDimensionPartitionMapping)
    assert mapping.partition_dimension_name == "t"


def test_what_may_run_by_itself_is_off(project: dg.Definitions) -> None:
    named = {it.name: it.default_status.value for it in (*(project.schedules or ()), *(project.sensors or ()))}
    assert named == {f"{what}_{image}": "STOPPED" for what in AUTOMATION for image in ("demo", "idr0044")}
    assert [it.name for it in (*(project.schedules or ()), *(project.sensors or ())) if not it.description] == []


def test_resources_and_nothing_else(project: dg.Definitions) -> None:
    assert set(project.resources or ()) == RESOURCES
    assert project.executor is dg.in_process_executor
    assert not project.asset_checks
