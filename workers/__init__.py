"""The composition root: Celery tasks and the `woodpecker` command line that tie the rooms together.

It may import every room but `review_ui`. A task or a command calls a service of a room; it holds no rule of
its own.
"""
