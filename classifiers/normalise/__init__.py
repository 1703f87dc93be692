"""Undo evasion, keeping a map from every character read back to the text as given.

`fold` is certain and done to every text: width, styled letters, invisible marks, traditional characters. `readings`
depends on neighbours and may be wrong (紫砂 is clay, or 自杀): it gives a second reading, never in place of the first.
Both are scored and the higher score counts.
"""

from classifiers.normalise.edits import Reading
from classifiers.normalise.fold import Folded, fold, undone
from classifiers.normalise.readings import Reader

__all__ = ["Folded", "Reader", "Reading", "fold", "undone"]
