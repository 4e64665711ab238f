"""Segment a large plane by tiles, so that its labels do not depend on where it is cut.

Arrays in, arrays out: `tile_task` reads and writes the arrays on workers, and `tiled_planes` sends tiles to them.
"""
