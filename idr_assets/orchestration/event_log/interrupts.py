"""Let runs of commands end as canceled wherever Ctrl-C or SIGTERM finds them: in the code of assets or in Dagster's.

Between two parts of an asset's code Dagster notes an interrupt, and raises it where no code of the asset is at work.
"""

import dagster as dg
from dagster._core.execution.plan.objects import ErrorSource
from dagster._core.storage.event_log import SqlEventLogStorage

from idr_assets.orchestration.stops import cancel_command


class InterruptedRuns(SqlEventLogStorage):
    """Marks the run of a command as being canceled when one of its steps was interrupted."""

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event; Dagster asks for the state of the run only after that of its last step."""
        super().store_event(event)
        told = event.dagster_event
        if told and told.is_step_failure and told.step_failure_data.error_source == ErrorSource.INTERRUPT:
            cancel_command(self._instance, event.run_id)
