"""What the README shows of YAML and of a function of one's own is taken as it stands there."""

import re
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from idr_assets_tests.dagster_home import ROOT
from idr_assets_tests.image_project import ImageProject

README = (ROOT / "README.md").read_text()
YAMLS = re.findall(r"^```yaml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
OWN_FUNCTION = re.findall(r"^```python\n(?:(?!```).)*?@per_plane.*?^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> ImageProject:
    """Give a project with the README's own function beside it."""
    project = ImageProject(tmp_path)
    project.write()
    (snippet,) = OWN_FUNCTION
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package/recipes.py").write_text(snippet.removeprefix("```python").removesuffix("```"))
    return project


@pytest.mark.parametrize("yaml", YAMLS)
def test_yaml_loads(project: ImageProject, yaml: str) -> None:
    project.yaml.write_text(yaml if yaml.startswith("type:") else project.yaml.read_text() + yaml)
    assert project.load().resources


def test_own_function_segments(project: ImageProject) -> None:
    (yaml,) = [yaml for yaml in YAMLS if "  segmentation:\n    function: my_package" in yaml]
    project.yaml.write_text(project.yaml.read_text() + yaml)
    image = (project.load().resources or {})["image_io"].images[0]
    planes = np.full((2, 60, 80), 100, ">u2")
    planes[:, 10:15, 10:15] = planes[:, 30:35, 50:55] = planes[1, 50:54, 20:24] = 3000
    planes[:, :, 60:] += 2000  # light that is no spot
    labels = image.function(da.from_array(planes), **image.parameters).compute()
    assert labels.dtype == np.int32
    assert labels.max(axis=(1, 2)).tolist() == [2, 3]
    assert (labels[1, 12, 12], labels[1, 52, 22]) == (1, 3)
