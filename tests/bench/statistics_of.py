"""Values of repeated measurements -> a median and how sure it is."""
import random


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def median_interval(values, repeats=2000):
    """95 % bootstrap interval of the median; always the same for the same values."""
    if len(values) < 3:
        return min(values), max(values)
    dice = random.Random(len(values))
    medians = sorted(median(dice.choices(values, k=len(values))) for _ in range(repeats))
    return medians[int(repeats * 0.025)], medians[int(repeats * 0.975)]


def wilson(hits, trials, z=1.96):
    """95 % interval of a share of which `hits` of `trials` were seen."""
    if trials == 0:
        return 0.0, 1.0
    share = hits / trials
    middle = share + z * z / (2 * trials)
    spread = z * ((share * (1 - share) + z * z / (4 * trials)) / trials) ** 0.5
    return max(0.0, (middle - spread) / (1 + z * z / trials)), min(1.0, (middle + spread) / (1 + z * z / trials))
