"""The fictional platform 「榆钱坡」 that the demonstration crawls. Nobody imports it; it runs as `python -m demo`.

Everything here is invented by us: the platform, its people, its texts. A room apart, it knows no other room.

- `texts/*.yaml`: what is said; each text carries the category that it is meant to show, or none.
- `library.py` reads the texts, `world.py` is what stands on the platform at a moment, `clock.py` keeps its time
  across restarts, `pages.py` draws it, `server.py` serves it.
"""
