"""What OME-NGFF metadata say: axes, scales, units, and the versions of outputs. Opens no store."""
