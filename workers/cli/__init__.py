"""The `woodpecker` command line: one file per command group, each with a `register(app)`."""

from __future__ import annotations

import importlib
import logging
import sys
import traceback

import typer

from classifiers.errors import ClassifierError
from workers.cli.output import Exit, complain, summary

GROUPS = (
    "config",
    "site",
    "crawl",
    "classify",
    "evaluate",
    "thresholds",
    "ablate",
    "pretrain",
    "train",
    "rules",
    "ingest",
    "inbox",
    "dead",
    "prevalence",
    "run",
    "accounts",
    "export",
    "evidence",
    "audit",
    "backup",
    "policy",
    "backtest",
    "reassess",
    "retention",
)


def main() -> None:
    """Run the command line; a wrong model or rule ends it with exit code 2, an unforeseen error with 1, each named."""
    try:
        build()()
    except KeyboardInterrupt:
        sys.exit(130)
    except ClassifierError as error:  # whatever assesses or orders texts reads a model and the word rules
        complain(str(error))
        if "--json" in sys.argv:
            summary({"error": str(error)})
        sys.exit(int(Exit.WRONG_INPUT))
    except Exception as error:
        # One line for people; the stack, without the values of variables, which may hold a text, for whoever asks.
        logging.getLogger(__name__).debug("unforeseen", exc_info=True)
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = f"unforeseen {type(error).__name__} in {where.name} ({where.filename}:{where.lineno})"
        complain(message)
        if "--json" in sys.argv:
            summary({"error": message})
        sys.exit(1)


def build() -> typer.Typer:
    """Return the command line with every group registered."""
    app = typer.Typer(
        name="woodpecker",
        pretty_exceptions_enable=False,
        help="Silver Woodpecker 银发啄木鸟: find what may harm minors, and carry it to the people who decide.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        rich_markup_mode="rich",
    )
    for group in GROUPS:
        importlib.import_module(f"workers.cli.{group}").register(app)
    return app
