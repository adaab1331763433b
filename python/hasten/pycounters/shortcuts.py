"""Where PyCounters keeps its shortcuts."""
from hasten.pycounters import (  # noqa: F401
    frequency, time, count, value, occurrence,
)

__all__ = [
    "count", "frequency", "occurrence", "time", "value",
]
