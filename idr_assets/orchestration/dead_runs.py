"""Find runs whose process is gone: Dagster would count them as running forever."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from idr_assets.orchestration.proof_of_life import has_died, here, hold

LONGEST_CREATION = timedelta(days=1)
"""A run that was neither queued nor started for longer never will be: the process that created it is gone."""


@contextmanager
def prove_life(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Prove that the process of a run lives, as long as it does.

    A run without a proof, for example because the instance's folder is read-only, is never taken for dead. One that
    ends because the database does not take its events leaves its file, so that it is.
    """
    path = _folder(instance) / run_id
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(hold(path, here()))
            stack.callback(_remove, instance, path)
        yield


def _remove(instance: dg.DagsterInstance, path: Path) -> None:
    from idr_assets.orchestration.event_log import has_given_up  # noqa: PLC0415

    if not has_given_up(instance):
        path.unlink(missing_ok=True)


def fail_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs whose process is gone as failed, or as canceled if they were being canceled.

    Their planes then count as missing. Runs of other machines are left alone.
    """
    for path in _folder(instance).glob("*"):
        if has_died(path):
            _report(instance, instance.get_run_by_id(path.name))
            path.unlink(missing_ok=True)
    created = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.NOT_STARTED], created_before=datetime.now(UTC) - LONGEST_CREATION
    )
    for run in instance.get_runs(created):
        instance.report_run_failed(run, "The run never started: the process that created it ended before.")


def _report(instance: dg.DagsterInstance, run: dg.DagsterRun | None) -> None:
    if run is None or run.is_finished:
        return
    message = (
        "The process of this run is gone: it was killed, or the machine stopped. What it stored is kept. Run its "
        "missing planes again."
    )
    canceling = run.status == dg.DagsterRunStatus.CANCELING
    (instance.report_run_canceled if canceling else instance.report_run_failed)(run, message)


def _folder(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory, "idr_assets", "runs")
