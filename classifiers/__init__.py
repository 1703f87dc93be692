"""From texts to `Assessment`s; training and measuring the models that make them.

This room may import the taxonomy of `config` and nothing else of ours. It is useful alone, from the command
line, with no database, and serves without torch. What other rooms may touch is `classifiers.assessment`
(the contract) and, from the composition root `workers`, `classifiers.cascade`.
"""
