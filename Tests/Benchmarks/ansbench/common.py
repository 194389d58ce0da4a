"""Figures and their statistics, and words to the terminal."""

import dataclasses
import statistics
import sys
import time


def say(text):
    """Progress, to stderr: stdout has the table only."""
    print(f"[{time.strftime('%H:%M:%S', time.gmtime())}] {text}", file=sys.stderr, flush=True)


def percentile(values, share):
    """The smallest value that at least `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    place = max(0, -(-len(ordered) * share // 1) - 1)
    return ordered[min(len(ordered) - 1, int(place))]


@dataclasses.dataclass
class Yardstick:
    """What the machine itself does at the moment, measured in the same run."""

    name: str
    value: float
    unit: str


@dataclasses.dataclass
class Figure:
    """One measured quantity of a workload: a value for each repeat."""

    workload: str
    name: str
    unit: str
    values: list
    #: "low" where less is better, "high" where more is.
    better: str = "low"
    target: float | None = None
    yardstick: Yardstick | None = None
    note: str = ""

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def met(self):
        """Whether the median reaches the target; None where there is no target."""
        if self.target is None:
            return None
        return self.median <= self.target if self.better == "low" else self.median >= self.target

    @property
    def ratio(self):
        """The figure in units of its yardstick."""
        if self.yardstick is None or not self.yardstick.value:
            return None
        return self.median / self.yardstick.value

    def record(self):
        """As it stands in the JSON file."""
        return {
            "workload": self.workload,
            "name": self.name,
            "unit": self.unit,
            "better": self.better,
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "repeats": self.values,
            "target": self.target,
            "met": self.met,
            "yardstick": dataclasses.asdict(self.yardstick) if self.yardstick else None,
            "ratio": self.ratio,
            "note": self.note,
        }


class Broken(Exception):
    """A workload that could not be measured; its text says why."""
