"""What Dagster knows of planes while the run still works, also if its event log refuses them for a while."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from threading import Lock, Thread

import dagster as dg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets.orchestration import event_log
from idr_assets.orchestration.assets import progress
from idr_assets.orchestration.assets.plane_events import MOST_UNTOLD, PlaneEvents
from idr_assets_tests.support.slow_planes import held
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, Segmented

tell = event_log.tell_partitions


def test_planes_that_are_refused_while_the_run_works_are_told_later_and_once(
    fresh: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[set[str]] = []

    def refuse_once(context: dg.AssetExecutionContext, events: Sequence[dg.AssetMaterialization]) -> None:
        tell(context, events if known else events[:1])
        known.append(fresh.materialized())
        (tmp_path / "hold").unlink(missing_ok=True)
        if len(known) == 1:
            message = "database is locked"
            raise SQLAlchemyError(message)

    (tmp_path / "hold").write_text("2")
    monkeypatch.setattr(progress, "INTERVAL", 0.1)
    monkeypatch.setattr(event_log, "tell_partitions", refuse_once)
    function = f"{{function: {held.__module__}.held, parameters: {{folder: {tmp_path}}}}}"
    fresh.project.write(**FIELDS | {"channels": "[0]"}, segmentation=function)
    assert fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1]) == ""
    assert known[0] == {PARTITIONS[0]}
    records = fresh.instance.fetch_materializations(fresh.project.key("plane_labels"), limit=9).records
    assert sorted(str(record.partition_key) for record in records) == PARTITIONS
    (run,) = fresh.instance.get_runs()
    refused = [
        entry for entry in fresh.instance.all_logs(run.run_id) if "cannot be told of them now" in entry.user_message
    ]
    assert len(refused) == 1


@pytest.mark.parametrize(("untold", "waits"), [(MOST_UNTOLD, True), (0, False)])
def test_a_run_waits_for_its_planes_to_be_told_if_many_are_not(untold: int, waits: bool) -> None:  # noqa: FBT001
    result, telling = PlaneFailure(Plane(0, 0, 0), "reason"), Lock()
    planes = PlaneEvents.__new__(PlaneEvents)
    vars(planes).update(_new=deque([result] * untold), _telling=telling)
    adding = Thread(target=planes.add, args=[result], daemon=True)
    with telling:
        adding.start()
        adding.join(0.2 if waits else 30)
        assert adding.is_alive() == waits
    adding.join(30)
    assert not adding.is_alive()
