"""Say how runs end where Dagster cannot know, or does not say what to do.

Between two parts of an asset's code Dagster notes an interrupt, and raises it where no code of the asset is at work.
"""

import dagster as dg
from dagster._core.execution.plan.objects import ErrorSource
from dagster._core.storage.event_log import SqlEventLogStorage

from idr_assets.orchestration.stops import cancel_command

GONE = (
    "The image of this run was removed or renamed in the YAML, or its segmentation was, after the run was launched, so "
    "nothing was done. Launch its planes under the new name, or undo the change and run this again."
)
UNKNOWN = ("no AssetsDefinition objects supply these keys", "Could not find job")
"""What Dagster says if the definitions have no such asset or job."""


class RunEnds(SqlEventLogStorage):
    """Marks runs of commands that are interrupted as being canceled, and explains runs of images that are gone."""

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event; Dagster asks for the state of the run only after that of its last step."""
        super().store_event(event)
        told = event.dagster_event
        if told and told.is_step_failure and told.step_failure_data.error_source == ErrorSource.INTERRUPT:
            cancel_command(self._instance, event.run_id)
        error = told.engine_event_data.error if told and told.is_engine_event else None
        if error and any(words in error.message for words in UNKNOWN):
            self._instance.report_engine_event(GONE, self._instance.get_run_by_id(event.run_id))
