"""Layout of packed counts: eight counts of one byte each in a 64-bit word."""

from typing import Final

import numpy as np
import numpy.typing as npt

FIELDS: Final = 8
"""Counts that are packed into a 64-bit word, 8 bits each."""

MOST_BEFORE_EMPTYING: Final = 248
"""Responses of one community after which its words are emptied: up to 7 more can come before that, and 255 fit."""

Words = npt.NDArray[np.uint64]
