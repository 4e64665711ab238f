"""The component: what becomes of the fields and templates of a YAML."""

import pytest

from idr_assets_tests.support.image_project import BY_ID, ImageProject


def test_level_may_be_a_number(project: ImageProject) -> None:
    project.write(level="4", url="https://127.0.0.1/4007801.zarr")
    assert project.load_image().level == "4"


def test_function_keeps_the_path_that_the_yaml_names(project: ImageProject) -> None:
    path = "idr_assets.imaging.segmentation.gaussian_threshold"  # which knows itself as `...segmentation.functions...`
    project.write(segmentation=f"{{function: {path}}}")
    assert project.load_image().recipe.path == path


@pytest.mark.parametrize("dtype", ["bool", "uint16", "'>f4'"])
def test_dtypes_of_images(project: ImageProject, dtype: str) -> None:
    project.write(dtype=dtype)
    assert project.load_image().dtype == dtype.strip("'")


def test_image_id_goes_into_the_endpoint(project: ImageProject) -> None:
    project.write(**BY_ID)
    assert project.load_image().url == "https://127.0.0.1/zarr/4007801.zarr"


def test_templates_are_filled_in_and_all_else_is_left_alone(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE", "s3://bucket")
    monkeypatch.setenv("LEVEL", "3")
    options = "{key: '007', number: '42', anon: false, client: {secret: '{{ env.STORE }}'}}"
    project.write(url="'{{ env.STORE }}/a.zarr'", level="'{{ env.LEVEL }}'", storage_options=options)
    image = project.load_image()
    assert (image.url, image.level) == ("s3://bucket/a.zarr", "3")
    secret = {"key": "007", "number": "42", "anon": False, "client": {"secret": "s3://bucket"}}
    assert image.storage_options == secret


def test_template_of_a_variable_that_is_not_set(project: ImageProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORE", raising=False)
    project.write(url="'{{ env.STORE }}'")
    place = f"attributes.url at {project.yaml}:3"
    assert f"{{{{ env.STORE }}}} in {place} has no value; set this environment variable" in project.refusal()


def test_what_a_template_gives_is_checked_like_the_yaml_itself(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGMA", "-1")
    project.write(segmentation="{parameters: {sigma: '{{ env.SIGMA }}'}}")
    message = project.refusal()
    assert f"attributes.segmentation.parameters at {project.yaml}:6`" in message
    assert "does not take -1 as sigma: Input should be greater than or equal to 0" in message
