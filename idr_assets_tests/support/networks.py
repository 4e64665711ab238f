"""Tiny networks in ONNX form: one convolution each."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper, save

SIDE = {"first": ("n", "c", "y", "x"), "last": ("n", "y", "x", "c")}


def write_network(
    file: Path,
    kernel: npt.ArrayLike,
    bias: npt.ArrayLike = 0.0,
    *,
    stride: int = 1,
    channels: str = "first",
    **sizes: int,
) -> Path:
    """Write a network of one convolution with a kernel (outputs, channels, y, x) that pads with zeros.

    `channels` are the first or the last dimension; `sizes` fix the height `y` and the width `x` of what it takes.
    """
    weights = np.asarray(kernel, np.float32)
    outputs, inputs, height, width = weights.shape
    pads = [height // 2, width // 2] * 2
    nodes = [helper.make_node("Conv", ["in", "kernel", "bias"], ["out"], pads=pads, strides=[stride, stride])]
    names = ("in", "out")
    if channels == "last":
        names = ("given", "found")
        nodes = [
            helper.make_node("Transpose", ["given"], ["in"], perm=[0, 3, 1, 2]),
            *nodes,
            helper.make_node("Transpose", ["out"], ["found"], perm=[0, 2, 3, 1]),
        ]
    each = [{**dict.fromkeys("nyx"), **sizes, "c": inputs}, {"n": None, "y": None, "x": None, "c": outputs}]
    ends = [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, [known[axis] or f"{axis}_{name}" for axis in SIDE[channels]]
        )
        for name, known in zip(names, each, strict=True)
    ]
    constants: Any = {"kernel": weights, "bias": np.broadcast_to(np.asarray(bias, np.float32), outputs).copy()}
    initial = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], initial)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(file))
    return file
