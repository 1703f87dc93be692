"""Tests of what needs torch are collected where it is installed (`uv sync --extra train`), and nowhere else: the
default installation serves models and does not train encoders."""

from __future__ import annotations

from importlib.util import find_spec

NEED_TORCH = [
    "test_begin.py",
    "test_other_encoders.py",
    "test_pretrain.py",
    "test_pretrain_blocks.py",
    "test_pretrain_losses.py",
    "test_pretrain_noise.py",
    "test_encoder_draws.py",
    "test_encoder_train.py",
    "test_encoder_variants.py",
    "test_trials.py",
    "test_killed.py",
    "test_gpu_recipes.py",
    "test_served.py",
    "test_shrink.py",
]
collect_ignore = [] if find_spec("torch") and find_spec("transformers") else NEED_TORCH
