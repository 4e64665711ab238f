"""What a store writes, and what a run is launched with, runs nothing: tried on Dagster's plain web server.

A store's keys hold a mutation that would wipe another asset, and a page would send it as the address of a picture.
"""

import json
from collections.abc import Iterator
from urllib.parse import unquote

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import FIELDS, Segmented
from idr_assets_tests.support.web_ui import ask, browsing, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

VICTIM = dg.AssetKey("v")
WIPE = '/graphql?query=mutation{wipeAssets(assetPartitionRanges:{assetKey:{path:"v"}}){__typename}}'
KEYS = [
    f"![]({WIPE})",
    "<img src='/graphql?query=mutation{reloadWorkspace{__typename}}'>",
    "https://evil.example/a www.evil.example someone@evil.example",
]
"""Short enough to be quoted."""

PAGES = {
    "overview": "/assets/image/source_image?view=overview",
    "checks": "/assets/image/source_image?view=checks",
    "events": "/assets/image/source_image?view=events",
    "partitions": "/assets/image/plane_labels?view=partitions",
    "run": "/runs/{run}",
    "runs": "/runs",
}

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
    """Give an instance, an asset to be wiped, and a project whose image is none, and says so in its first keys."""
    root = tmp_path_factory.mktemp("store_text")
    project = ImageProject(root / "project")
    project.write(**FIELDS)
    project.write_definitions()
    (root / "instance").mkdir()
    with dagster_home(root / "instance", project.root) as home:
        store = home.data / "source.zarr"
        store.mkdir(parents=True)
        (store / ".zgroup").write_text('{"zarr_format": 2}')
        (store / ".zattrs").write_text(json.dumps(dict.fromkeys(KEYS, 1)))
        home.instance.report_runless_asset_event(dg.AssetMaterialization(VICTIM))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("IDR_ASSETS_DATA", str(home.data))
            assert "no `multiscales`" in Segmented(project, home.instance).run("source_image")
        yield home


@pytest.fixture(scope="module")
def ui(home: DagsterHome) -> Iterator[str]:
    with serving(home, "dagster-webserver -m project.definitions") as ui:
        yield ui


@pytest.fixture(scope="module")
def page(ui: str, chromium: str) -> Iterator[Page]:
    with browsing(ui, chromium) as page:
        yield page


@pytest.fixture
def mutations(page: Page) -> list[str]:
    """Collect the mutations that the page sends by address, as no page of Dagster does."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if "mutation" in unquote(request.url) else None)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_shows_text_of_a_store_asks_for_none_of_it(
    page: Page, home: DagsterHome, mutations: list[str], name: str
) -> None:
    (run,) = home.instance.get_runs()
    page.goto(PAGES[name].format(run=run.run_id), wait_until="networkidle")
    page.wait_for_timeout(1000)
    assert mutations == []
    assert page.locator("img[src*=graphql], a[href*='graphql?']").count() == 0
    assert home.instance.get_latest_materialization_event(VICTIM)


def test_a_check_shows_keys_as_they_are(page: Page, home: DagsterHome, mutations: list[str]) -> None:
    page.goto(PAGES["checks"])
    shown = page.get_by_text("it is not an OME-Zarr image")
    for text in ("has no `multiscales`", *KEYS):
        expect(shown).to_contain_text(text)
    assert page.locator("a[href*='evil.example']").count() == 0
    page.get_by_text("Execution history", exact=True).click()
    expect(shown).to_contain_text(KEYS[0])
    assert mutations == []
    assert home.instance.get_latest_materialization_event(VICTIM)


@pytest.mark.parametrize(
    "chosen", [{"cluster": "subprocess.Popen"}, {"arguments": {"preload": "code"}}, {"workers": 9}], ids=str
)
def test_a_run_chooses_no_cluster(ui: str, home: DagsterHome, chosen: dict[str, object]) -> None:
    config = json.dumps({"resources": {"dask": {"config": chosen}}})
    answer = ask(ui, LAUNCH, config=config)["launchRun"]
    assert answer["__typename"] == "RunConfigValidationInvalid", answer
    assert f'unexpected config entry "{next(iter(chosen))}"' in answer["errors"][0]["message"]
    assert len(home.instance.get_runs()) == 1  # of the fixture


def test_the_ui_shows_no_arguments_of_the_cluster(ui: str) -> None:
    shown = ask(ui, RESOURCE)["topLevelResourceDetailsOrError"]
    assert shown == {"configFields": [], "configuredValues": []}
