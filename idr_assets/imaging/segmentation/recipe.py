"""Which version a segmentation function has: what tells whether the same pixels would get the same labels again."""

import ast
import hashlib
import inspect
import textwrap

from idr_assets.imaging.segmentation.functions import SegmentationFunction


def version_of(function: SegmentationFunction) -> str:
    """Give a segmentation function's version: its `@versioned` mark, else a hash of its own source.

    Comments, docstrings and layout count for nothing there, nor do functions that it calls. A function that has neither
    mark nor source, such as a compiled one, is "unversioned".
    """
    if marked := getattr(function, "version", None):
        return str(marked)
    try:
        return f"source-{hashlib.sha256(_bare(inspect.getsource(function)).encode()).hexdigest()[:12]}"
    except (OSError, TypeError):
        return "unversioned"


def _bare(source: str) -> str:
    """Write source in one layout, without comments and docstrings; a part of a statement, as of a lambda, stays."""
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:
        return source
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.unparse(tree)
