"""What to watch and how: settings from the environment, policies from YAML, the taxonomy, both validated.

This room imports no other room. Everything here is data with types: change a threshold, a site or a category
in the YAML files, never in code.
"""
