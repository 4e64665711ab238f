"""Weights: their SHA-256 belongs to the recipe, and those of an address are fetched once and verified."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from idr_assets.imaging.output.provenance import Provenance
from idr_assets.imaging.segmentation import joined_over_z, per_batch, versioned
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.models.weights import WeightsError, check_weights, digest_weights, open_weights
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.orchestration.assets.descriptions import of_plane_labels
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.store_faults import replaced, status
from idr_assets_tests.support.store_server import StoreServer

CONTENT = b"weights of a network"
SHA_256 = hashlib.sha256(CONTENT).hexdigest()


def load(weights: Path) -> bytes:
    return weights.read_bytes()


@versioned("1")
@per_batch(model=load)
def nuclei(planes: Pixels, *, model: bytes) -> Labels:
    raise NotImplementedError


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a file of weights."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "store").mkdir()
    path = tmp_path / "store/nuclei.onnx"
    path.write_bytes(CONTENT)
    return path


def version(weights: object) -> str:
    return Recipe("nuclei", nuclei, {"weights": str(weights)}, (0,)).version


def test_other_weights_make_planes_stale_and_another_place_does_not(file: Path) -> None:
    first = version(file)
    moved = file.rename(file.with_name("moved.onnx"))
    assert version(moved) == version(f"https://127.0.0.1/nuclei.onnx#sha256={SHA_256.upper()}") == first
    moved.with_name("moved.onnx.data").write_bytes(b"of a large network")
    with_data = version(moved)
    moved.write_bytes(CONTENT[::-1])
    assert len({first, with_data, version(moved), version(file)}) == 4
    named = Recipe(
        "joined", joined_over_z, {"function": f"{__name__}.nuclei", "parameters": {"weights": str(moved)}}, (0,)
    )
    before = named.version
    moved.write_bytes(CONTENT)
    assert named.version != before


def test_a_folder_of_weights_is_all_of_its_files(file: Path) -> None:
    folder = file.parent.rename(file.parent.with_name("model"))
    first = digest_weights(str(folder))
    assert open_weights(f"{folder}#sha256={first}") == folder
    (folder / "config.json").write_text("{}")
    assert digest_weights(str(folder)) not in {first, SHA_256, ""}


def test_a_file_is_read_again_only_after_it_changed(file: Path, tmp_path: Path) -> None:
    assert digest_weights(str(file)) == SHA_256
    (note,) = (tmp_path / "cache/idr_assets/digests").iterdir()
    note.write_text("0" * 64)
    assert digest_weights(str(file)) == "0" * 64
    note.write_text("damaged")
    assert digest_weights(str(file)) == SHA_256


def test_weights_of_an_address_are_fetched_once_and_verified(file: Path) -> None:
    with StoreServer(file.parent, query="token=secret") as server:
        address = f"{server.url}/nuclei.onnx?token=secret#sha256={SHA_256}"
        server.faults["/nuclei.onnx"] = [status(404), status(403), replaced(b"a page"), None]
        for reason in (
            r"nuclei.onnx.* cannot be fetched \(FileNotFoundError\)",
            r"nuclei.onnx.* cannot be fetched \(status 403\)",
            r"nuclei.onnx.* have the SHA-256 \w+, not ",
        ):
            with pytest.raises(WeightsError, match=reason) as raised:
                open_weights(address)
            assert "secret" not in str(raised.value)
        server.reset()
        with ThreadPoolExecutor(4) as threads:
            (path,) = set(threads.map(open_weights, [address] * 8))
        assert path.read_bytes() == CONTENT
        assert path.name == "nuclei.onnx"
        assert len([kind for kind, _ in server.requests if kind == "GET"]) == 1
        path.write_bytes(b"damaged in the cache")
        assert open_weights(address).read_bytes() == CONTENT


def test_an_address_needs_the_sha_256_that_proves_what_is_fetched() -> None:
    with pytest.raises(
        ValueError, match="does not say which weights these are, by which planes are up to date or stale"
    ):
        check_weights("https://127.0.0.1/nuclei.onnx")
    assert check_weights("{{ env.STORE }}://nuclei.onnx")


def test_a_yaml_names_weights_below_the_data_folder(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDR_ASSETS_DATA", str(file.parent))
    project = ImageProject(tmp_path)
    segmentation = "{function: " + __name__ + ".nuclei, parameters: {weights: %s, batch: %s}}"
    project.write(segmentation=segmentation % ("nuclei.onnx", 4))
    recipe = project.load_image().recipe
    assert recipe.parameters["weights"] == str(file)
    assert recipe.version == replace(recipe, parameters={"weights": str(file), "batch": 1}).version
    project.write(segmentation=segmentation % ("https://127.0.0.1/nuclei.onnx", 4))
    assert "write their SHA-256 behind it" in project.refusal()
    project.write(segmentation=segmentation % (f"'https://127.0.0.1/nuclei.onnx?token=secret#sha256={SHA_256}'", 4))
    image = project.load_image()
    made = replace(Provenance.from_json({}), parameters=image.recipe.parameters, given=image.recipe.parameters)
    shown = f"{of_plane_labels(image)} {made.to_json()}"
    assert "secret" not in shown
    assert shown.count(SHA_256) == 3
    project.write(segmentation=segmentation % ("nuclei.onnx", 0))
    assert "does not take 0 as batch: Input should be greater than or equal to 1" in project.refusal()
    project.write(segmentation=segmentation % ("absent.onnx", 4))
    assert project.load_image().recipe.version  # a run says what is wrong
