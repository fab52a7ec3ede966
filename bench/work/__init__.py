"""
The works of the benchmark: one file each, with run(bench).  In this order; what the machine can do
comes first.
"""

import importlib

QUICK = ("limits", "receive", "end_to_end", "nagle", "latency", "memory", "reads", "routes", "destinations")
FULL = QUICK + ("growth", "sustained")


def load(name):
    return importlib.import_module(f"work.{name}")
