"""Parameters of a segmentation function, checked by what the function says of them when a YAML is loaded."""

import pytest

from idr_assets_tests.support.image_project import ImageProject

OWN = """
from __future__ import annotations
from typing import TYPE_CHECKING, Any, Literal
import numpy as np
from idr_assets.imaging.segmentation.functions import per_plane
if TYPE_CHECKING:
    from nowhere import Kernel

@per_plane
def own(
    plane: np.ndarray,
    *,
    size: int = 3,
    levels: tuple[float, ...] = (),
    mode: Literal["a", "b"] = "a",
    weights: np.ndarray = None,
    kernel: Kernel = None,
    words: "in pixels" = 1,
    bare=1,
    **others: Any,
):
    return plane
"""


HERE = "idr_assets.imaging.segmentation"

PARAMETERS = [
    # function | parameters | the remedy where they are wrong
    ("gaussian_threshold", "{sigma: 0, threshold_fraction: 1}", None),
    ("gaussian_threshold", "{sigma: null}", "None as sigma: Input should be a valid number"),
    ("gaussian_threshold", "{sigma: true}", "True as sigma: Input should be a valid number"),
    ("gaussian_threshold", "{sigma: -1}", "-1 as sigma: Input should be greater than or equal to 0"),
    ("gaussian_threshold", "{threshold_fraction: .nan}", "nan as threshold_fraction: Input should be less than inf"),
    ("otsu_watershed", "{background_sigma: 0}", "0 as background_sigma: Input should be greater than 0"),
    ("gaussian_threshold", "{threshold_fraction: 0.5 um}", "'0.5 um' as threshold_fraction: it has no unit"),
    ("own", "{size: 3 um}", "'3 um' as size: it is a whole number; write it in pixels"),
    ("onnx_model", "{weights: a.onnx, percentiles: [99, 1]}", "[99, 1] as percentiles: Value error, the first is not"),
    ("otsu_watershed_3d", "{slice_step: 5}", None),
    ("joined_over_z", f"{{function: {HERE}.otsu_watershed, parameters: {{sigma: 2}}, iou: 0.5}}", None),
    ("own", "{size: 5, levels: [1, 2.5], mode: b, weights: [1, 2], kernel: x, words: x, bare: [x], more: x}", None),
    ("own", "{size: '{{ env.SIZE }}'}", None),
    ("own", "{size: '5'}", "'5' as size: Input should be a valid integer"),
    ("own", "{levels: [1, x]}", "[1, 'x'] as levels: Input should be a valid number"),
    ("own", "{mode: c}", "'c' as mode: Input should be 'a' or 'b'"),
]


def test_a_parameter_that_the_function_needs_is_named(project: ImageProject) -> None:
    project.write(segmentation=f"{{function: {project.package.name}.own.needs}}")
    (project.package / "own.py").write_text(
        "from idr_assets.imaging.segmentation import per_plane\n\n@per_plane\ndef needs(plane, than):\n    ...\n"
    )
    assert "missing a required argument: 'than'; its parameters are: than" in project.refusal()


CALLED = [
    ("idr_assets.none", "{}", "'idr_assets.none' cannot be imported"),
    ("otsu_watershed", "{}", f"write the dotted path of a function, {HERE}.otsu_watershed"),
    (f"{HERE}.otsu_watershed", "{sigma: -1}", "otsu_watershed does not take -1 as sigma"),
    (f"{HERE}.otsu_watershed_3d", "{}", "otsu_watershed_3d works on volumes; name a function of planes"),
]


@pytest.mark.parametrize(("called", "parameters", "refusal"), CALLED)
def test_a_function_that_another_calls_is_checked_too(
    project: ImageProject, called: str, parameters: str, refusal: str
) -> None:
    inner = f"{{function: {called}, parameters: {parameters}}}"
    project.write(segmentation=f"{{function: {HERE}.joined_over_z, parameters: {inner}}}")
    assert refusal in project.refusal()


@pytest.mark.parametrize(("function", "parameters", "remedy"), PARAMETERS)
def test_parameters_are_checked_by_what_the_function_says_of_them(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch, function: str, parameters: str, remedy: str | None
) -> None:
    monkeypatch.setenv("SIZE", "7")
    module = f"{project.root.name}.own" if function == "own" else HERE
    project.write(segmentation=f"{{function: {module}.{function}, parameters: {parameters}}}")
    (project.package / "own.py").write_text(OWN)
    if remedy is None:
        assert project.load_image().recipe.parameters
    else:
        assert f"{module}.{function} does not take {remedy}" in project.refusal()
