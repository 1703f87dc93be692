"""The drawing of a case's life for docs/pages.md: `python -m workers.drawing`."""

from __future__ import annotations

from workers import django


def main() -> None:
    """Print the Mermaid diagram of `casework.transitions`."""
    django.setup()
    from casework.transitions import diagram

    print(diagram())


if __name__ == "__main__":
    main()
