"""Names of numpy arrays by what they hold."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
"""Logits, as models give them."""

Doubles = npt.NDArray[np.float64]
"""Scores and probabilities."""

Indices = npt.NDArray[np.int64]
"""Positions and counts."""

LogitPair = tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]
"""Start and end logits of the same tokens, in any precision."""
