"""The lead's and administrator's pages: how things stand, accounts."""
