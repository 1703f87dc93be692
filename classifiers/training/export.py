"""From a fine-tuned encoder to one served file: int8 tables and matrices, scales of activations fixed by texts.

What the matrices are multiplied with is quantised by scales measured on `calibrating` texts, never by a batch's own
range, so that a text's logits do not depend on what else is in its batch. Our own encoder is written in the operations
that serve it fastest (`served.py`). Another one is traced as it is: its embedding tables are stored as int8 and scaled
after the look-up, and ONNX Runtime's quantiser makes its matrices int8 per output column.
"""

from __future__ import annotations

import copy
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from classifiers.encoder import GRAPH, Tokens
from classifiers.normalise.fold import fold
from classifiers.training.attention import rewrite
from classifiers.training.begin import OtherForCategories
from classifiers.training.encoder_model import WoodpeckerForCategories
from classifiers.training.served import served

OPSET = 17


class _ByteTable(nn.Module):
    """An embedding table as int8 with one scale per column."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        weight = table.weight.detach()
        top = torch.quantile(weight[: 1 << 16].abs(), 0.9999, dim=0).clamp(min=1e-8)
        self.register_buffer("scale", top / 127)
        self.register_buffer("rows", torch.clamp(torch.round(weight / self.scale), -127, 127).to(torch.int8))

    def forward(self, ids: Tensor) -> Tensor:
        return self.rows[ids].to(torch.float32) * self.scale


def export(
    model: WoodpeckerForCategories | OtherForCategories,
    tokens: Tokens,
    folder: Path,
    calibrating: Sequence[str],
    *,
    int8: bool = True,
) -> Path:
    """Write `encoder.onnx`; returns its path. Without `int8` the float graph is written, to compare with."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / GRAPH
    plain = copy.deepcopy(model).eval()
    batches = _fed(tokens, calibrating)
    if not int8:
        _trace(plain, target, batches[0])
    elif isinstance(plain, WoodpeckerForCategories):
        _trace(served(plain, map(torch.from_numpy, batches)), target, batches[0])
        rewrite(target)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            floats = Path(scratch) / "float.onnx"
            _trace(_with_byte_tables(plain), floats, batches[0])
            _quantise(floats, target, batches)
    return target


def _with_byte_tables(model: nn.Module) -> nn.Module:
    for parent in list(model.modules()):
        for name, table in list(parent.named_children()):
            if isinstance(table, nn.Embedding):
                setattr(parent, name, _ByteTable(table))
    return model


def _trace(model: nn.Module, target: Path, example: NDArray[np.int64]) -> None:
    torch.onnx.export(
        model,
        (torch.from_numpy(example[:2]),),
        target,
        input_names=["input_ids"],
        output_names=["logits"],
        dynamic_axes={"input_ids": {0: "texts", 1: "length"}, "logits": {0: "texts"}},
        opset_version=OPSET,
        custom_opsets={"com.microsoft": 1},
        dynamo=False,
    )


def _fed(tokens: Tokens, texts: Sequence[str]) -> list[NDArray[np.int64]]:
    cut = tokens.windows(fold(texts))
    return [cut.padded(chosen) for chosen in cut.batches(2048)]


def _quantise(source: Path, target: Path, batches: list[NDArray[np.int64]]) -> None:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter(batches)

        def get_next(self) -> dict[str, Any] | None:
            ids = next(self._left, None)
            return None if ids is None else {"input_ids": ids}

    logging.getLogger().setLevel(logging.ERROR)
    ready = source.with_name("ready.onnx")
    quant_pre_process(source, ready, skip_symbolic_shape=True)
    quantize_static(
        ready,
        target,
        Reader(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"MatMulConstBOnly": True, "WeightSymmetric": True, "ActivationSymmetric": False},
    )
