"""The rate limit: at most so many requests of one key inside any second [DOC api_intro]."""

import threading
import time
from collections import deque

MESSAGE = "Too many requests, please try again later."
_WINDOW = 1.0  # seconds
_MANY_KEYS = 1000


class RateLimit:
    """Count the requests of each key in a sliding window of one second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._seen: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def admits(self, key: str) -> bool:
        """Count a request and say whether it is still within the limit; 0 admits everything."""
        if not self._rate:
            return True
        moment = time.monotonic()
        with self._lock:
            if len(self._seen) > _MANY_KEYS:  # whoever guesses keys must not fill the memory
                self._forget(moment - _WINDOW)
            seen = self._seen.setdefault(key, deque())
            while seen and seen[0] <= moment - _WINDOW:
                seen.popleft()
            if len(seen) >= self._rate:
                return False
            seen.append(moment)
            return True

    def _forget(self, before: float) -> None:
        self._seen = {key: seen for key, seen in self._seen.items() if seen and seen[-1] > before}
