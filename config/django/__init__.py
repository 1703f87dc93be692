"""Django's settings and root URLs, derived from `config.settings`."""
