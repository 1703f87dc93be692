"""The encoder as a `transformers` model: n-gram and sound embeddings added to characters, then a shallow transformer.

The graph takes character ids alone. Pairs and triples of neighbouring ids are hashed to rows of a table, ids are read
as syllables by a table, and pairs of syllables are hashed likewise: a word written with other characters of the same
sound keeps its syllable pairs. Attention knows how far apart two characters are, up to `reach`, and nothing of where
in the text they stand, so a model trained on short blocks reads longer ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, PreTrainedModel
from transformers.configuration_utils import PretrainedConfig
from transformers.utils import ModelOutput

from classifiers.alphabet import PAD
from classifiers.training.pretrain_vectors import SOUNDS, pair_rows, triple_rows


class WoodpeckerConfig(PretrainedConfig):
    """Shape of the encoder; `classes` are the slugs of the heads, in order."""

    model_type = "woodpecker-char"

    def __init__(  # noqa: PLR0913, PLR0917 - a configuration of transformers is built from its fields by name
        self,
        vocab_size: int = 8192,
        hidden: int = 256,
        layers: int = 2,
        heads: int = 4,
        inner: int = 768,
        reach: int = 24,
        character: int = 128,
        pair: int = 80,
        pair_buckets: int = 65536,
        triple: int = 64,
        triple_buckets: int = 32768,
        sound: int = 32,
        sounds: int = SOUNDS,
        sound_pair: int = 48,
        sound_pair_buckets: int = 32768,
        dropout: float = 0.0,
        classes: list[str] | None = None,
        **more: Any,
    ) -> None:
        self.vocab_size, self.hidden, self.layers, self.heads = vocab_size, hidden, layers, heads
        self.inner, self.reach, self.dropout = inner, reach, dropout
        self.character, self.pair, self.triple = character, pair, triple
        self.pair_buckets, self.triple_buckets = pair_buckets, triple_buckets
        self.sound, self.sounds = sound, sounds
        self.sound_pair, self.sound_pair_buckets = sound_pair, sound_pair_buckets
        self.classes = list(classes or [])
        more.setdefault("pad_token_id", PAD)
        more["num_labels"] = max(1, len(self.classes))
        super().__init__(**more)
        self.hidden_size = hidden


def neighbours(ids: Tensor) -> tuple[Tensor, Tensor]:
    """The id before and the id after each, `PAD` beyond the edges."""
    before = nn.functional.pad(ids[:, :-1], (1, 0), value=PAD)
    after = nn.functional.pad(ids[:, 1:], (0, 1), value=PAD)
    return before, after


class Embedding(nn.Module):
    """Everything known of a character and its neighbours, projected to the hidden width."""

    def __init__(self, config: WoodpeckerConfig) -> None:
        super().__init__()
        self.config = config
        self.character = nn.Embedding(config.vocab_size, config.character)
        self.pair = nn.Embedding(config.pair_buckets, config.pair)
        self.triple = nn.Embedding(config.triple_buckets, config.triple)
        self.sound = nn.Embedding(config.sounds, config.sound)
        self.sound_pair = nn.Embedding(config.sound_pair_buckets, config.sound_pair)
        self.register_buffer("sound_of", torch.zeros(config.vocab_size, dtype=torch.long))
        width = config.character + 2 * config.pair + config.triple + config.sound + 2 * config.sound_pair
        self.project = nn.Linear(width, config.hidden)
        self.norm = nn.LayerNorm(config.hidden)

    def forward(self, ids: Tensor) -> Tensor:
        """Embed ids of shape (texts, length)."""
        before, after = neighbours(ids)
        sounds = self.sound_of[ids]
        pair = self.pair(pair_rows(ids, after, self.config.pair_buckets))
        heard = self.sound_pair(pair_rows(sounds, self.sound_of[after], self.config.sound_pair_buckets))
        parts = [
            self.character(ids),
            pair,
            nn.functional.pad(pair[:, :-1], (0, 0, 1, 0)),
            self.triple(triple_rows(before, ids, after, self.config.triple_buckets)),
            self.sound(sounds),
            heard,
            nn.functional.pad(heard[:, :-1], (0, 0, 1, 0)),
        ]
        result: Tensor = self.norm(self.project(torch.cat(parts, dim=-1)))
        return result


class Layer(nn.Module):
    """Attention and a feed-forward part, each normalised first and added."""

    def __init__(self, config: WoodpeckerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.before_attention = nn.LayerNorm(config.hidden)
        self.query_key_value = nn.Linear(config.hidden, 3 * config.hidden)
        self.attended = nn.Linear(config.hidden, config.hidden)
        self.before_inner = nn.LayerNorm(config.hidden)
        self.inner = nn.Linear(config.hidden, config.inner)
        self.outer = nn.Linear(config.inner, config.hidden)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """One layer; `bias` of shape (texts or 1, heads, length, length) is added to the attention's logits."""
        texts, length, hidden = x.shape
        mixed = self.query_key_value(self.before_attention(x))
        query, key, value = mixed.view(texts, length, 3, self.heads, hidden // self.heads).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(query @ key.transpose(-1, -2) * (hidden // self.heads) ** -0.5 + bias, dim=-1)
        together = (weights @ value).transpose(1, 2).reshape(texts, length, hidden)
        x = x + self.dropout(self.attended(together))
        inner = nn.functional.relu(self.inner(self.before_inner(x)))
        result: Tensor = x + self.dropout(self.outer(inner))
        return result


class WoodpeckerPreTrained(PreTrainedModel):
    """Loading, saving and first weights."""

    config_class = WoodpeckerConfig
    base_model_prefix = "encoder"

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.weight.shape[1] ** -0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.2)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, WoodpeckerEncoder):
            nn.init.zeros_(module.distance)


class WoodpeckerEncoder(WoodpeckerPreTrained):
    """Ids in, one vector per character out."""

    def __init__(self, config: WoodpeckerConfig) -> None:
        super().__init__(config)
        self.embedding = Embedding(config)
        self.distance = nn.Parameter(torch.zeros(config.heads, 2 * config.reach + 1))
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def forward(self, input_ids: Tensor, **_: Any) -> Tensor:
        """Vectors of shape (texts, length, hidden); `PAD` is not attended to."""
        x = self.dropout(self.embedding(input_ids))
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        apart = (place[None, :] - place[:, None]).clamp(-self.config.reach, self.config.reach) + self.config.reach
        bias = self.distance[:, apart][None]
        bias = bias + (input_ids == PAD)[:, None, None, :].to(bias.dtype) * -10000.0
        for layer in self.layers:
            x = layer(x, bias)
        result: Tensor = self.norm(x)
        return result


@dataclass
class Guessed(ModelOutput):
    """What pretraining says of the noised places and of all places."""

    characters: Tensor | None = None
    found: Tensor | None = None


class WoodpeckerForPretraining(WoodpeckerPreTrained):
    """Two tasks: which character stood at a noised place, and which places were replaced."""

    def __init__(self, config: WoodpeckerConfig) -> None:
        super().__init__(config)
        self.encoder = WoodpeckerEncoder(config)
        self.guess = nn.Linear(config.hidden, config.character)
        self.guess_norm = nn.LayerNorm(config.character)
        self.guess_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.found = nn.Linear(config.hidden, 1)
        self.post_init()

    def forward(self, input_ids: Tensor, places: Tensor) -> Guessed:
        """`places` are flat indices into (texts × length): where a character is to be guessed."""
        return Guessed(*self.said(self.encoder(input_ids), places))

    def said(self, vectors: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Of the encoder's vectors: logits of every character at `places`, and of a replacement at every place."""
        flat = vectors.reshape(-1, vectors.shape[-1])
        guess = self.guess_norm(nn.functional.relu(self.guess(flat[places])))
        characters = guess @ self.encoder.embedding.character.weight.T + self.guess_bias
        return characters, self.found(flat).squeeze(-1)


class WoodpeckerForCategories(WoodpeckerPreTrained):
    """One logit per category, from the mean and the strongest of the characters' vectors."""

    def __init__(self, config: WoodpeckerConfig) -> None:
        super().__init__(config)
        self.encoder = WoodpeckerEncoder(config)
        self.mix = nn.Linear(2 * config.hidden, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.Linear(config.hidden, config.num_labels)
        self.post_init()

    def forward(self, input_ids: Tensor, **_: Any) -> Tensor:
        """Logits of shape (texts, categories)."""
        vectors = self.encoder(input_ids)
        there = (input_ids != PAD)[:, :, None].to(vectors.dtype)
        mean = (vectors * there).sum(1) / there.sum(1).clamp(min=1.0)
        most = (vectors + (there - 1.0) * 10000.0).amax(1)
        result: Tensor = self.heads(self.dropout(nn.functional.relu(self.mix(torch.cat((mean, most), dim=-1)))))
        return result


def register() -> None:
    """Let `AutoConfig`, `AutoModel` and `AutoModelForSequenceClassification` know this model."""
    AutoConfig.register(WoodpeckerConfig.model_type, WoodpeckerConfig, exist_ok=True)
    AutoModel.register(WoodpeckerConfig, WoodpeckerEncoder, exist_ok=True)
    AutoModelForSequenceClassification.register(WoodpeckerConfig, WoodpeckerForCategories, exist_ok=True)
