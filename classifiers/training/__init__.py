"""Training: from labelled sets and one recipe file to a model folder, its card and its figures."""
