"""Tell Dagster to which code location runs of commands belong: the UI's timeline leaves out runs of none."""

from contextlib import suppress

import dagster as dg

MOST_PLACED = 200
"""Runs that are looked at, the last ones: the timeline shows a day."""


def place_runs(instance: dg.DagsterInstance, module: str, location: str) -> None:
    """Give runs of commands that have ended, of the definitions in `module`, to the code location that serves these.

    Runs that have not ended are left alone, for by this they are known as those of commands.
    """
    with suppress(ImportError, AttributeError, TypeError):  # another version of Dagster: the timeline lacks them
        from dagster._core.remote_origin import (  # noqa: PLC0415
            ManagedGrpcPythonEnvCodeLocationOrigin,
            RemoteJobOrigin,
            RemoteRepositoryOrigin,
        )
        from dagster._core.types.loadable_target_origin import LoadableTargetOrigin  # noqa: PLC0415

        place = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name=module), location)
        repository = RemoteRepositoryOrigin(place, "__repository__")
        for run in instance.get_runs(limit=MOST_PLACED):
            if run.is_finished and run.remote_job_origin is None and _module_of(run) == module:
                instance.run_storage.replace_job_origin(run, RemoteJobOrigin(repository, run.job_name))


def _module_of(run: dg.DagsterRun) -> str | None:
    pointer = run.job_code_origin.repository_origin.code_pointer if run.job_code_origin else None
    return getattr(pointer, "module", None)
