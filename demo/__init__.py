"""The fictional platform that the demonstration crawls. Nobody imports it; it runs as `python -m demo`."""
