"""What a piece of work costs by itself."""

import time
from collections.abc import Callable

_TRIES = 5


def least_effort(work: Callable[[], object], *, enough: float) -> float:
    """CPU seconds of the quickest of five tries; one below ``enough`` seconds is the last.

    What a pattern costs it costs each time. What a late moment of a long run adds, a sweep of the
    memory that thousands of tests left or a neighbour's turn, does not come back five times.
    """
    least = float("inf")
    for _ in range(_TRIES):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
        if least < enough:
            break
    return least
