"""The attention of a served encoder in ONNX's own operation, which ONNX Runtime computes with less copying.

`MultiHeadAttention` of `com.microsoft` brings queries, keys and values of each head together, and spreads the mask and
the bias over all heads and texts, in every layer. `Attention` (ONNX 1.18, opset 23) reads them where they stand; mask
and bias are added up once for all layers. What comes out is the same, bit for bit. The exporter does this to what it
writes; a folder that was exported before is brought up to it by

    python -m classifiers.training.attention FOLDER      (needs the extra [train])
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import typer
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.version_converter import convert_version

from classifiers.encoder import GRAPH, load_encoder, save_manifest
from classifiers.errors import ModelError

OPSET = 23
BEFORE = "MultiHeadAttention"
WRITTEN_ANEW = "format", "version", "categories", "files"  # of a manifest
TO_BE_ADDED = "attention_bias"
"""The sum of the bias by distance and of what hides the places that only fill a row up."""


def main(folder: Annotated[Path, typer.Argument(help="A model folder with an encoder of ours.")]) -> None:
    """Rewrite the attention of a model folder's graph and note the new digest in its manifest."""
    try:
        manifest = load_encoder(folder).manifest
        changed = rewrite(folder / GRAPH)
    except (ModelError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if changed:
        about = {name: value for name, value in manifest.items() if name not in WRITTEN_ANEW}
        save_manifest(folder, version=manifest["version"], categories=manifest["categories"], about=about)
    typer.echo(f"{folder / GRAPH}: {changed or 'no'} layers rewritten")


def rewrite(path: Path) -> int:
    """Replace the attention of a graph on disk; returns in how many layers there was one to be replaced."""
    model = onnx.load(path)
    before = [node for node in model.graph.node if node.op_type == BEFORE]
    if before:
        onnx.save(rewritten(model), path)
    return len(before)


def rewritten(model: ModelProto) -> ModelProto:
    """Return the model with `Attention` in the place of each `MultiHeadAttention`, which all share mask and bias.

    Raises:
        ValueError: its attention is given something else than queries, keys, values, mask and bias.
    """
    found = convert_version(model, OPSET)
    before = [node for node in found.graph.node if node.op_type == BEFORE]
    shared = {(node.input[3], *node.input[4:]) for node in before}
    if len(shared) != 1 or len(before[0].input) != 6 or next(iter(shared))[0]:
        raise ValueError(f"attention of inputs {sorted(shared)}; only one mask and one bias for all layers is known")
    _, there, bias = next(iter(shared))
    hidden = next(float(one.f) for one in before[0].attribute if one.name == "mask_filter_value")
    nodes: list[NodeProto] = []
    for node in found.graph.node:
        if node is before[0]:
            nodes += _to_be_added(there, bias)
        nodes.append(_attention(node) if node.op_type == BEFORE else node)
    found.graph.initializer.extend(
        numpy_helper.from_array(value, f"{TO_BE_ADDED}.{name}")
        for name, value in {
            "one": np.float32(1), "hidden": np.float32(-hidden), "axes": np.array([1, 2], dtype=np.int64),
        }.items()
    )  # fmt: skip
    del found.graph.node[:]
    found.graph.node.extend(nodes)
    return found


def _to_be_added(there: str, bias: str) -> list[NodeProto]:
    """`there` is 1 where a character stands (texts, places); `bias` is of shape (1, heads, places, places)."""
    name = TO_BE_ADDED
    return [
        helper.make_node("Cast", [there], [f"{name}.there"], to=TensorProto.FLOAT),
        helper.make_node("Sub", [f"{name}.there", f"{name}.one"], [f"{name}.absent"]),
        helper.make_node("Mul", [f"{name}.absent", f"{name}.hidden"], [f"{name}.flat"]),
        helper.make_node("Unsqueeze", [f"{name}.flat", f"{name}.axes"], [f"{name}.mask"]),
        helper.make_node("Add", [bias, f"{name}.mask"], [name]),
    ]


def _attention(before: NodeProto) -> NodeProto:
    heads = next(int(one.i) for one in before.attribute if one.name == "num_heads")
    return helper.make_node(
        "Attention",
        [*before.input[:3], TO_BE_ADDED],
        list(before.output),
        name=before.name,
        q_num_heads=heads,
        kv_num_heads=heads,
    )


if __name__ == "__main__":
    typer.run(main)
