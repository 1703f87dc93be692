"""The encoder as ONNX Runtime computes it fastest: the same weights as int8, in the fewest and widest operations.

The tables are read as int8 and never scaled: what a column is worth goes into the projection's matrix, so their bytes
are multiplied as they are. Every other matrix takes bytes of fixed scale and gives floats, bias added, in one operation
(`MatMulIntegerToFloat`): nothing is rounded on the way out. Attention stays in floats, one operation for all heads,
which `attention.py` then writes as ONNX's own.

Operations of `com.microsoft` are part of every build of ONNX Runtime:
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from classifiers.alphabet import PAD
from classifiers.training.encoder_model import Embedding, Layer, WoodpeckerForCategories, neighbours
from classifiers.training.pretrain_vectors import pair_rows, triple_rows

NOUGHT = 128  # the byte that stands for 0 in a table
HIDDEN = -10000.0  # added to the attention of what fills a row up


def served(model: WoodpeckerForCategories, batches: Iterable[Tensor]) -> nn.Module:
    """Return the model in the form that is exported; the ranges of its activations are those of `batches` of ids."""
    return _Served(model, _ranges(model, batches)).eval()


Ranges = dict[nn.Module, tuple[float, float]]


def _ranges(model: WoodpeckerForCategories, batches: Iterable[Tensor]) -> Ranges:
    """Least and greatest value that each linear part was given; nought is always among them."""
    found: Ranges = {}

    def note(part: nn.Module, given: tuple[Tensor, ...]) -> None:
        low, high = found.get(part, (0.0, 0.0))
        found[part] = min(low, float(given[0].min())), max(high, float(given[0].max()))

    watched = [part.register_forward_pre_hook(note) for part in model.modules() if isinstance(part, nn.Linear)]
    with torch.no_grad():
        for ids in batches:
            model(ids)
    for one in watched:
        one.remove()
    return found


class _Quantise(torch.autograd.Function):
    """Floats as bytes of one scale; what lies beyond the range takes its end, so a ReLU before it needs no step."""

    @staticmethod
    def symbolic(g: Any, x: Any, scale: Any, zero: Any) -> Any:
        return g.op("QuantizeLinear", x, scale, zero)

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
        return torch.clamp(torch.round(x / scale) + zero, 0, 255).to(torch.uint8)


class _Multiply(torch.autograd.Function):
    """Bytes times a matrix of bytes, as floats with the bias added."""

    @staticmethod
    def symbolic(g: Any, x: Any, rows: Any, scale: Any, columns: Any, zero: Any, bias: Any) -> Any:
        none = g.op("Constant", value_t=torch.tensor(0, dtype=torch.int8))
        found = g.op("com.microsoft::MatMulIntegerToFloat", x, rows, scale, columns, zero, none, bias)
        return found.setType(bias.type().with_sizes([None, None, bias.type().sizes()[0]]))

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, rows: Tensor, scale: Tensor, columns: Tensor, zero: Tensor, bias: Tensor
    ) -> Tensor:
        return (x.float() - zero.float()) @ rows.float() * (scale * columns) + bias


class _Attend(torch.autograd.Function):
    """Attention of all heads; `there` is 1 where a character stands, `bias` is added to the logits."""

    @staticmethod
    def symbolic(g: Any, query: Any, key: Any, value: Any, there: Any, bias: Any, heads: int) -> Any:
        none = g.op("prim::Constant")
        none.setType(torch._C.OptionalType.ofTensor())
        given, name = (query, key, value, none, there, bias), "com.microsoft::MultiHeadAttention"
        found = g.op(name, *given, num_heads_i=heads, mask_filter_value_f=HIDDEN)
        return found.setType(query.type())

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, there: Tensor, bias: Tensor, heads: int) -> Tensor:
        texts, length, hidden = query.shape
        parts = [one.view(texts, length, heads, hidden // heads).transpose(1, 2) for one in (query, key, value)]
        logits = parts[0] @ parts[1].transpose(-1, -2) * (hidden // heads) ** -0.5 + bias
        logits = logits + (1 - there[:, None, None, :].float()) * HIDDEN
        return (torch.softmax(logits, dim=-1) @ parts[2]).transpose(1, 2).reshape(texts, length, hidden)


class _Matrix(nn.Module):
    """Columns of a linear part as int8, one scale per column."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        columns = (weight.abs().amax(dim=1) / 127).clamp(min=1e-12)
        self.register_buffer("rows", torch.round(weight / columns[:, None]).to(torch.int8).T.contiguous())
        self.register_buffer("columns", columns)
        self.register_buffer("bias", bias.clone())

    def forward(self, x: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
        result: Tensor = _Multiply.apply(x, self.rows, scale, self.columns, zero, self.bias)
        return result


class _Bytes(nn.Module):
    """What turns a linear part's input into bytes."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        step = max(high - low, 1e-8) / 255
        self.register_buffer("scale", torch.tensor(step))
        self.register_buffer("zero", torch.tensor(round(-low / step), dtype=torch.uint8))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = _Quantise.apply(x, self.scale, self.zero)
        return result


class _Linear(nn.Module):
    """A linear part, or several of one input: floats in, floats out."""

    def __init__(self, part: nn.Linear, ranges: Ranges, outputs: int = 1) -> None:
        super().__init__()
        self.bytes = _Bytes(*ranges[part])
        weights, biases = part.weight.detach().chunk(outputs), part.bias.detach().chunk(outputs)
        self.parts = nn.ModuleList(map(_Matrix, weights, biases))

    def forward(self, x: Tensor) -> list[Tensor]:
        seen = self.bytes(x)
        return [part(seen, self.bytes.scale, self.bytes.zero) for part in self.parts]


class _Embedding(nn.Module):
    """Everything known of a character and its neighbours: rows of bytes side by side, projected."""

    def __init__(self, source: Embedding) -> None:
        super().__init__()
        self.config, self.norm = source.config, source.norm
        self.register_buffer("sound_of", source.sound_of)
        scales = []
        for name in ("character", "pair", "triple", "sound", "sound_pair"):
            weight = getattr(source, name).weight.detach()
            # The rarest weights are cut rather than costing all others their precision.
            scale = torch.quantile(weight[: 1 << 16].abs(), 0.9999, dim=0).clamp(min=1e-8) / 127
            self.register_buffer(name, (torch.clamp(torch.round(weight / scale), -127, 127) + NOUGHT).to(torch.uint8))
            scales += [scale] * (2 if name.endswith("pair") else 1)
        self.register_buffer("one", torch.tensor(1.0))
        self.register_buffer("nought", torch.tensor(NOUGHT, dtype=torch.uint8))
        weight = source.project.weight.detach() * torch.cat(scales)[None, :]
        self.project = _Matrix(weight, source.project.bias.detach())

    def forward(self, ids: Tensor) -> Tensor:
        before, after = neighbours(ids)
        sounds = self.sound_of[ids]
        pair = self.pair[pair_rows(ids, after, self.config.pair_buckets)]
        heard = self.sound_pair[pair_rows(sounds, self.sound_of[after], self.config.sound_pair_buckets)]
        parts = [
            self.character[ids],
            pair,
            nn.functional.pad(pair[:, :-1], (0, 0, 1, 0), value=NOUGHT),
            self.triple[triple_rows(before, ids, after, self.config.triple_buckets)],
            self.sound[sounds],
            heard,
            nn.functional.pad(heard[:, :-1], (0, 0, 1, 0), value=NOUGHT),
        ]
        result: Tensor = self.norm(self.project(torch.cat(parts, dim=-1), self.one, self.nought))
        return result


class _Layer(nn.Module):
    """A layer as `encoder_model.Layer`."""

    def __init__(self, source: Layer, ranges: Ranges) -> None:
        super().__init__()
        self.heads = source.heads
        self.before_attention, self.before_inner = source.before_attention, source.before_inner
        self.query_key_value = _Linear(source.query_key_value, ranges, 3)
        self.attended = _Linear(source.attended, ranges)
        self.inner, self.outer = _Linear(source.inner, ranges), _Linear(source.outer, ranges)

    def forward(self, x: Tensor, there: Tensor, bias: Tensor) -> Tensor:
        query, key, value = self.query_key_value(self.before_attention(x))
        x = x + self.attended(_Attend.apply(query, key, value, there, bias, self.heads))[0]
        result: Tensor = x + self.outer(self.inner(self.before_inner(x))[0])[0]
        return result


class _Served(nn.Module):
    def __init__(self, model: WoodpeckerForCategories, ranges: Ranges) -> None:
        super().__init__()
        self.reach = model.config.reach
        self.embedding = _Embedding(model.encoder.embedding)
        self.layers = nn.ModuleList(_Layer(layer, ranges) for layer in model.encoder.layers)
        self.norm, self.mix, self.heads = model.encoder.norm, model.mix, model.heads
        self.distance = model.encoder.distance

    def forward(self, input_ids: Tensor) -> Tensor:
        """Logits of shape (texts, categories)."""
        place = torch.arange(input_ids.shape[1])
        apart = (place[None, :] - place[:, None]).clamp(-self.reach, self.reach) + self.reach
        bias, there = self.distance[:, apart][None], (input_ids != PAD).to(torch.int32)
        x = self.embedding(input_ids)
        for layer in self.layers:
            x = layer(x, there, bias)
        vectors, stands = self.norm(x), there[:, :, None].to(x.dtype)
        mean = (vectors * stands).sum(1) / stands.sum(1).clamp(min=1.0)
        most = (vectors + (stands - 1.0) * 10000.0).amax(1)
        result: Tensor = self.heads(nn.functional.relu(self.mix(torch.cat((mean, most), dim=-1))))
        return result
