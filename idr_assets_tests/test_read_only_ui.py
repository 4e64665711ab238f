"""The read-only UI that SECURITY.md describes, as a real webserver: it answers, and starts and changes nothing."""

import re
from collections.abc import Iterator

import pytest

from idr_assets_tests.support.dagster_home import ROOT, DagsterHome, dagster_home
from idr_assets_tests.support.web_ui import ask, serving

COMMANDS = re.findall(r"^\.venv/bin/(idr-assets ui --read-only.*)$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)

DEMO = 'repositoryName: "__repository__", repositoryLocationName: "idr_assets"'
RUN = f'{{selector: {{{DEMO}, jobName: "segment_demo"}}, runConfigData: "{{}}"}}'
LABELS = '{path: ["demo", "plane_labels"]}'
CHANGES = [
    f"launchRun(executionParams: {RUN})",
    f'startSchedule(scheduleSelector: {{{DEMO}, scheduleName: "missing_demo"}})',
    f'startSensor(sensorSelector: {{{DEMO}, sensorName: "watch_demo"}})',
    f'launchPartitionBackfill(backfillParams: {{partitionNames: ["05|08"], assetSelection: [{LABELS}]}})',
    'terminateRun(runId: "any")',
    'deletePipelineRun(runId: "any")',
    f"wipeAssets(assetPartitionRanges: [{{assetKey: {LABELS}}}])",
    f"reportRunlessAssetEvents(eventParams: {{eventType: ASSET_MATERIALIZATION, assetKey: {LABELS}}})",
    "reloadWorkspace",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterHome]:
    with dagster_home(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="module")
def ui(home: DagsterHome) -> Iterator[str]:
    (command,) = COMMANDS
    with serving(home, command) as ui:
        yield ui


def test_it_answers(ui: str, home: DagsterHome) -> None:
    assets = ask(ui, "{ assetNodes { groupName } }")["assetNodes"]
    assert {asset["groupName"] for asset in assets} == {"demo", "idr0044"}
    assert home.listeners == {"127.0.0.1"}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.partition("(")[0])
def test_it_changes_nothing(ui: str, change: str) -> None:
    (answer,) = ask(ui, f"mutation {{ {change} {{ __typename }} }}").values()
    assert answer == {"__typename": "UnauthorizedError"}


@pytest.mark.parametrize(
    ("change", "results"),
    [
        (f"launchMultipleRuns(executionParamsList: [{RUN}])", "LaunchMultipleRunsResult { launchMultipleRunsResult"),
        ('terminateRuns(runIds: ["any"])', "TerminateRunsResult { terminateRunResults"),
    ],
    ids=["launch", "terminate"],
)
def test_of_several_runs_it_touches_none(ui: str, home: DagsterHome, change: str, results: str) -> None:
    (answer,) = ask(ui, f"mutation {{ {change} {{ ... on {results} {{ __typename }} }} }} }}").values()
    assert list(answer.values()) == [[{"__typename": "UnauthorizedError"}]]
    assert home.instance.get_runs() == []
