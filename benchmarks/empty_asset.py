"""An asset with the partitions of the whole image that does no work: the floor of Dagster's bookkeeping."""

import warnings

import dagster as dg

from idr_assets.imaging.planes import index_key
from idr_assets_tests.support.idr_stores import IDR_SHAPE

warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy")

PLANES = dg.MultiPartitionsDefinition(
    {
        axis: dg.StaticPartitionsDefinition([index_key(index, length) for index in range(length)])
        for axis, length in zip("tz", IDR_SHAPE[::2], strict=False)
    }
)


@dg.asset(partitions_def=PLANES, backfill_policy=dg.BackfillPolicy.single_run())
def planes() -> None:
    """Do nothing."""


defs = dg.Definitions(assets=[planes], executor=dg.in_process_executor)
