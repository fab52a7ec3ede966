"""
What a run of the benchmarks found out: figures with all their runs, the lines of plots, the
machine.  A JSON file, which bench/report reads and bench/check compares with another.

A figure is {"unit", "better": "higher" | "lower", "runs": [...]}; its name is a path from the
general to the particular, such as "receive/small/16/dicomgw".
"""

import json


def median(runs):
    ordered = sorted(runs)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class Result:
    def __init__(self, data=None):
        self.data = data or {"machine": {}, "settings": {}, "warnings": [], "figures": {}, "series": {}, "notes": {}}

    @classmethod
    def read(cls, path):
        with open(path, encoding="utf-8") as f:
            return cls(json.load(f))

    def write(self, path):
        with open(path, "w", encoding="utf-8") as f:
            json.dump(self.data, f, indent=1, ensure_ascii=False)
            f.write("\n")

    @property
    def figures(self):
        return self.data["figures"]

    def add(self, name, unit, value, better="higher"):
        """One more run of a figure."""
        figure = self.figures.setdefault(name, {"unit": unit, "better": better, "runs": []})
        figure["runs"].append(value)

    def series(self, name, unit, points):
        """A line over time: [seconds, value]."""
        self.data["series"][name] = {"unit": unit, "points": points}

    def note(self, name, text):
        self.data["notes"][name] = text

    def warn(self, text):
        if text not in self.data["warnings"]:
            self.data["warnings"].append(text)

    def median(self, name):
        """None if it was not measured."""
        figure = self.figures.get(name)
        return median(figure["runs"]) if figure else None
