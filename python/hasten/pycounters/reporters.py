"""Where PyCounters keeps its reporters."""
from hasten.pycounters import (  # noqa: F401
    BaseReporter, JSONFileReporter, LogReporter,
)

__all__ = [
    "BaseReporter", "JSONFileReporter", "LogReporter",
]
