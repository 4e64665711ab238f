"""The RO-Crate of a published image, as the library that others use reads it."""

from typing import Any

import pytest
from rocrate.rocrate import ROCrate

from idr_assets.imaging.published.crate import About, describe_crate
from idr_assets.imaging.published.records import hide_places

RECIPE: dict[str, Any] = {
    "source": {"url": "https://store.example/image.zarr", "level": "4", "channels": [0], "fingerprint": "ab"},
    "segmentation": {"function": "package.recipe", "version": "1", "parameters": {"sigma": 2}},
    "versions": {"scipy": "1.14.1"},
}
OWN: dict[str, Any] = {
    "recipes": {"0a": RECIPE},
    "timepoints": {
        "3": {"run": "first", "started": "2026-01-01T10:00:00+00:00", "ended": "2026-01-01T10:00:09+00:00"},
        "4": {"run": "later", "started": "2026-02-01T10:00:00+00:00", "ended": "2026-02-01T10:00:09+00:00"},
        "5": {"run": "first", "started": "2026-01-01T09:00:00+00:00", "ended": "2026-01-01T09:00:09+00:00"},
        "6": {"incomplete": True},
    },
}


def read(about: About) -> ROCrate:
    return ROCrate(describe_crate(about, ["nuclei"], ["0", "1"], OWN))


def test_it_says_what_was_made_from_what_by_which_runs() -> None:
    crate = read(About("embryo", "CC-BY-4.0", "10.1016/j.cell.2018.09.031"))
    root, source = crate.root_dataset, crate.root_dataset["isBasedOn"]
    assert crate.version == "1.2"
    assert (root["name"], root["datePublished"]) == ("embryo, published", "2026-02-01T10:00:09+00:00")
    assert root["license"].id == "https://spdx.org/licenses/CC-BY-4.0"
    assert {each["name"] for each in root["conformsTo"]} >= {"Process Run Crate", "Workflow Run Crate"}
    assert (source["url"], source["citation"].id) == (
        RECIPE["source"]["url"],
        "https://doi.org/10.1016/j.cell.2018.09.031",
    )
    assert {part.id for part in root["hasPart"]} == {
        "0/", "1/", "labels/nuclei/", "tables/objects/", "tables/object_counts/", "recipes.json"
    }  # fmt: skip
    assert (root["license"], root["citation"]) == (source["license"], source["citation"])
    first, later = root["mentions"]
    assert (first["startTime"], first["endTime"]) == ("2026-01-01T09:00:00+00:00", "2026-01-01T10:00:09+00:00")
    assert (first["name"], later["name"]) == ("Dagster's run first", "Dagster's run later")
    assert (first["description"], later["description"]) == (
        "Published the timepoints 3, 5",
        "Published the timepoints 4",
    )
    assert first["instrument"] == crate.mainEntity
    assert "ComputationalWorkflow" in crate.mainEntity.type
    assert "scipy 1.14.1" in crate.mainEntity["softwareRequirements"]


@pytest.mark.parametrize(
    ("given", "at", "citation"),
    [
        (About("embryo", "https://own.example/terms", "https://own.example/paper"), "https://own.example/terms", None),
        (About("embryo", None, "A, B: C. 2018"), None, "A, B: C. 2018"),
    ],
)
def test_what_is_no_address_stays_text(given: About, at: str | None, citation: str | None) -> None:
    root = read(given).root_dataset
    assert root["license"].id == at if at else root["license"]["name"] == "not stated"
    cited = root["isBasedOn"]["citation"]
    assert cited == citation if citation else cited.id == "https://own.example/paper"


@pytest.mark.parametrize(
    ("url", "shared"),
    [
        ("/home/somebody/a image.zarr", "a image.zarr"),
        ("file:///home/somebody/a image.zarr/", "a image.zarr"),
        ("https://store.example/image.zarr?signature=somebody", "https://store.example/image.zarr"),
        ("https://store.example/net.onnx?somebody#sha256=0a", "https://store.example/net.onnx#sha256=0a"),
        ("/home/somebody/net.onnx#sha256=0a", "net.onnx#sha256=0a"),
        ("s3://bucket/image.zarr", "s3://bucket/image.zarr"),
    ],
)
def test_neither_a_path_of_this_machine_nor_a_signature_is_published(url: str, shared: str) -> None:
    parameters = {"sigma": 2, "models": [url], "note": "1/2"}
    recipe = RECIPE | {"source": RECIPE["source"] | {"url": url}, "segmentation": {"parameters": parameters}}
    hidden = hide_places(recipe)
    assert "somebody" not in str(hidden)
    assert hidden["segmentation"]["parameters"] == parameters | {"models": [shared]}
    assert hidden["source"] == recipe["source"] | {"url": shared}
    crate = ROCrate(describe_crate(About("embryo"), ["nuclei"], ["0", "1"], OWN | {"recipes": {"0a": hidden}}))
    source = crate.root_dataset["isBasedOn"]
    assert source["name"] == f"embryo, level 4 of {shared}"
    assert source.get("url") == (shared if "://" in shared else None)
