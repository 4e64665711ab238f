"""Jobs of one image or plate among many: Dagster looks at all assets of a project for each of its own asset jobs."""

from typing import Any, override

import dagster as dg

AssetJob: Any = type(dg.define_asset_job("any"))  # which Dagster does not export


class OwnJob(AssetJob):  # type: ignore[misc]
    """An asset job that is resolved among its own assets and those that they are made from."""

    @override
    def resolve(self, asset_graph: Any, *arguments: Any, **named: Any) -> dg.JobDefinition:
        """Resolve the job as Dagster does."""
        keys = self.selection.resolve(asset_graph)
        above = {key for own in keys for key in asset_graph.get(own).parent_keys}
        assets = {asset_graph.get(key).assets_def for key in keys | above}
        found: dg.JobDefinition = super().resolve(type(asset_graph).from_assets(assets), *arguments, **named)
        return found
