"""The example notebook: a kernel of this project's Python runs each cell, without network."""

from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import dagster as dg
import nbformat
import numpy as np
import pytest
from PIL import Image

from idr_assets.definitions import defs
from idr_assets_tests.orchestration.conftest import SETTINGS
from idr_assets_tests.support.dagster_home import ROOT, DagsterHome, dagster_home
from idr_assets_tests.support.small_image import RANGE

NOTEBOOK = ROOT / "docs" / "segment_planes.ipynb"
WIDGETS = "application/vnd.jupyter.widget-state+json"
MADE = ["synthetic_embryo", "source_image", "plane_labels"]
SHOWN = ("05|06", "05|09")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterHome]:
    """Give the demo's data with no other planes than those that the notebook shows."""
    with dagster_home(tmp_path_factory.mktemp("notebook")) as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDR_ASSETS_DATA", str(home.data))
        keys = [dg.AssetKey(["demo", name]) for name in MADE]
        with dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
            segment, measure = (defs().resolve_job_def(f"{does}_demo") for does in ("segment", "measure"))
            tags = dict(zip(RANGE, SHOWN, strict=True))
            assert segment.execute_in_process(instance=instance, asset_selection=keys, tags=tags).success
            assert measure.execute_in_process(instance=instance).success
        yield home


@pytest.fixture(scope="module")
def executed(home: DagsterHome) -> Any:  # noqa: ANN401  nbformat's notebooks are untyped
    """Give the notebook after all its cells."""
    target = home.path / "executed.ipynb"
    code, output = home.run(
        f"env IPYTHONDIR={home.path} python -m idr_assets_tests.support.notebook_runner {NOTEBOOK} {target}"
    )
    assert (code, home.refused) == (0, []), output
    return nbformat.read(target, as_version=4)  # type: ignore[no-untyped-call]


def models(notebook: Any, name: str) -> list[dict[str, Any]]:  # noqa: ANN401
    """Give the states of all widgets of a kind."""
    widgets = notebook.metadata.widgets[WIDGETS]["state"].values()
    return [widget["state"] for widget in widgets if widget["model_name"] == name]


def printed(notebook: Any, cell: str) -> str:  # noqa: ANN401
    """Give what a cell prints."""
    (found,) = (it for it in notebook.cells if it.id == cell)
    return "".join(output.text for output in found.outputs if output.output_type == "stream")


def test_every_cell_runs_and_says_nothing_on_stderr(executed: Any) -> None:  # noqa: ANN401
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [output for cell in cells for output in cell.outputs if output.get("name") == "stderr"] == []


def test_the_slider_shows_a_plane_of_the_block_with_its_labels(executed: Any) -> None:  # noqa: ANN401
    assert [(it["min"], it["max"], it["value"]) for it in models(executed, "IntSliderModel")] == [(0, 3, 0)] * 2
    for widget in models(executed, "OutputModel"):
        (output,) = widget["outputs"]
        picture = np.asarray(Image.open(BytesIO(b64decode(output["data"]["image/png"]))).convert("RGB"), np.int16)
        left, right = np.array_split(picture, 2, axis=1)
        greys, coloured = (np.ptp(half, axis=2).max() for half in (left, right))
        assert picture.shape[1] > 700
        assert left[60:-60, 60:-20].std() > 20
        assert greys == 0
        assert coloured > 100


def test_what_is_stored_equals_what_the_notebook_segments(executed: Any) -> None:  # noqa: ANN401
    assert printed(executed, "open-labels") == "equal\n"
    assert printed(executed, "compute").startswith("z 6: 20 objects\nz 7: ")


def test_the_last_cell_describes_the_objects_of_each_plane_of_the_block(executed: Any) -> None:  # noqa: ANN401
    (described,) = next(cell for cell in executed.cells if cell.id == "read-objects").outputs
    rows = [line.split() for line in described.data["text/plain"].splitlines() if line[:1].isdigit()]
    assert [row[0] for row in rows] == ["6", "7", "8", "9"]
    assert all(float(count) > 0 for _, count, *_ in rows)


def test_the_stored_notebook_has_no_outputs_and_names_its_cells() -> None:
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in cells if cell.outputs or cell.execution_count] == []
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert "widgets" not in notebook.metadata
