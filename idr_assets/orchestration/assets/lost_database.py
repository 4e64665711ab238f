"""What a run says when the database of Dagster's events stays away: its log may not reach anybody then."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dagster as dg

GAVE_UP = (
    "The database of Dagster's events was away for longer than events are tried again (%s), so the run was stopped. "
    "Its planes are stored, but Dagster does not know of all of them, and may not know that this run has failed. Free "
    "space for DAGSTER_HOME, end what locks its files, or start the database; then `idr-assets resume %s` adopts them."
)

logger = logging.getLogger(__name__)


def log_if_possible(context: dg.AssetExecutionContext) -> Callable[[str], None]:
    """Return what writes a line into the log of a run, and goes on without it if the database refuses."""

    def log(text: str) -> None:
        with suppress(Exception):  # whatever the database raises
            context.log.info(text)

    return log


@contextmanager
def explain_lost_database(context: dg.AssetExecutionContext, image: str) -> Iterator[None]:
    """Print what to do if what is inside fails because the database stayed away."""
    from idr_assets.orchestration.event_log import has_given_up  # noqa: PLC0415

    try:
        yield
    except Exception as error:
        if has_given_up(context.instance):
            logger.error(GAVE_UP, error, image)  # noqa: TRY400  the traceback follows
        raise
