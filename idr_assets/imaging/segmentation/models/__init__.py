"""Functions with a model: batches, weights, and networks in ONNX form, of Cellpose and of StarDist.

Nothing here knows of blocks or outputs; `labelling` beside this folder calls it.
"""
