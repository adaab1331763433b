"""Where PyCounters keeps its counters."""
from hasten.pycounters import (  # noqa: F401
    AverageTimeCounter, AverageWindowCounter, BaseCounter, EventCounter, FrequencyCounter,
    MaxWindowCounter, MinWindowCounter, ThreadTimeCategorizer, TotalCounter, ValueAccumulator,
)

__all__ = [
    "AverageTimeCounter", "AverageWindowCounter", "BaseCounter", "EventCounter", "FrequencyCounter",
    "MaxWindowCounter", "MinWindowCounter", "ThreadTimeCategorizer", "TotalCounter",
    "ValueAccumulator",
]
