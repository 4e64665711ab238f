"""What a store writes, and what a run is launched with, runs nothing: tried on Dagster's plain web server.

A marker of a hole is another asset, which a mutation would wipe.
"""

import json
from collections.abc import Iterator

import pytest

from idr_assets_tests.dagster_home import DagsterHome, dagster_home
from idr_assets_tests.image_project import ImageProject
from idr_assets_tests.orchestration.small_image import FIELDS
from idr_assets_tests.web_ui import ask, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

WHERE = 'repositoryName: "__repository__", repositoryLocationName: "project.definitions"'

LAUNCH = f"""
mutation ($config: RunConfigData!) {{
  launchRun(executionParams: {{selector: {{{WHERE}, jobName: "segment_image"}}, runConfigData: $config}}) {{
    __typename ... on RunConfigValidationInvalid {{ errors {{ message }} }}
  }}
}}
"""

RESOURCE = f"""
{{ topLevelResourceDetailsOrError(resourceSelector: {{{WHERE}, resourceName: "dask"}}) {{
  ... on ResourceDetails {{ configFields {{ name }} configuredValues {{ key value }} }}
}} }}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterHome]:
    """Give an instance, and a project of an image that is not there."""
    root = tmp_path_factory.mktemp("store_text")
    project = ImageProject(root / "project")
    project.write(**FIELDS)
    project.write_definitions()
    (root / "instance").mkdir()
    with dagster_home(root / "instance", project.root) as home:
        yield home


@pytest.fixture(scope="module")
def ui(home: DagsterHome) -> Iterator[str]:
    with serving(home, "dagster-webserver -m project.definitions") as ui:
        yield ui


@pytest.mark.parametrize(
    "chosen", [{"cluster": "subprocess.Popen"}, {"arguments": {"preload": "code"}}, {"workers": 9}], ids=str
)
def test_a_run_chooses_no_cluster(ui: str, home: DagsterHome, chosen: dict[str, object]) -> None:
    config = json.dumps({"resources": {"dask": {"config": chosen}}})
    answer = ask(ui, LAUNCH, config=config)["launchRun"]
    assert answer["__typename"] == "RunConfigValidationInvalid", answer
    assert f'unexpected config entry "{next(iter(chosen))}"' in answer["errors"][0]["message"]
    assert home.instance.get_runs() == []


def test_the_ui_shows_no_arguments_of_the_cluster(ui: str) -> None:
    shown = ask(ui, RESOURCE)["topLevelResourceDetailsOrError"]
    assert shown == {"configFields": [], "configuredValues": []}
