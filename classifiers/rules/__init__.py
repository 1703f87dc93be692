"""Word rules: YAML an operator can edit, matched on folded text; see `model` for the fields and `engine` for how."""
