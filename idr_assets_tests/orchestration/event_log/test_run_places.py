"""Runs of commands are given to the code location of the UI, where its timeline shows them."""

from uuid import uuid4

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin

from idr_assets.orchestration.event_log.run_places import place_runs

ENDED, RUNNING = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.STARTED


def test_ended_runs_of_the_same_definitions_get_a_place_and_no_others() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for module, status in (("mine.definitions", ENDED), ("mine.definitions", RUNNING), ("others", ENDED)):
            code = RepositoryPythonOrigin("python", ModuleCodePointer(module, "defs"), entry_point=["dagster"])
            made = JobPythonOrigin("segment", code)
            instance.run_storage.add_run(dg.DagsterRun("segment", str(uuid4()), status=status, job_code_origin=made))
        place_runs(instance, "mine.definitions", "mine")
        places = [run.remote_job_origin and run.remote_job_origin.location_name for run in instance.get_runs()[::-1]]
        assert places == ["mine", None, None]
