"""From a site policy to a stream of `Capture`s.

This room reads public pages under their policy, redacts what it read and hands it on. It may import
`config` and nothing else of ours: no Django, no classifier, no case. It is useful alone, from the command
line, with no database. What other rooms may touch is `crawlers.capture` (the contract) and, from the
composition root `workers`, `crawlers.crawl`.
"""
