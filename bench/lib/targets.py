"""
What the gateway is to reach, as ratios within one run: machines differ, and so does one machine
from hour to hour.  Each target looks at figures of a result; it says nothing where they are missing.
"""

ORTHANC_RECEIVE = {1: 4, 4: 9, 16: 13}
STORESCP_RECEIVE = {1: 0.7, 16: 1}
SIZE_NAMES = {"small": "9 KB", "ct": "512 KB"}


class Target:
    def __init__(self, what, bound, measured, text):
        self.what, self.bound, self.measured, self.text = what, bound, measured, text

    @property
    def met(self):
        kind, limit = self.bound
        return self.measured >= limit if kind == "at least" else self.measured <= limit


def ratio(result, what, name, other, at_least, of):
    mine, theirs = result.median(name), result.median(other)
    if mine is not None and theirs:
        yield Target(what, ("at least", at_least), mine / theirs, f"{mine / theirs:.2f} × {of}, wanted {at_least} ×")


def at_most(result, what, name, limit):
    value = result.median(name)
    if value is not None:
        yield Target(what, ("at most", limit), value, f"{value:.1f} {result.figures[name]['unit']}, wanted at most {limit}")


def matrix(result):
    for size, size_name in SIZE_NAMES.items():
        for senders in (1, 4, 16):
            where = f"{size_name}, {senders} sender{'s' if senders > 1 else ''}"
            mine = f"receive/{size}/{senders}/dicomgw"
            yield from ratio(result, f"received durably, {where}", mine, f"receive/{size}/{senders}/orthanc",
                             ORTHANC_RECEIVE[senders], "Orthanc")
            if senders in STORESCP_RECEIVE:
                yield from ratio(result, f"received durably, {where}", mine, f"receive/{size}/{senders}/storescp",
                                 STORESCP_RECEIVE[senders], "storescp +B")
    for size, size_name in SIZE_NAMES.items():
        for senders in (1, 4, 16):
            yield from ratio(result, f"end to end, {size_name}, {senders} sender{'s' if senders > 1 else ''}",
                             f"end_to_end/{size}/{senders}/dicomgw", f"end_to_end/{size}/{senders}/orthanc", 5, "Orthanc")


def all_of(result):
    yield from matrix(result)
    yield from ratio(result, "a sender with Nagle on", "nagle/small/1/dicomgw", "nagle/small/1/orthanc", 40, "Orthanc")
    yield from at_most(result, "answer to the sender, idle, p99", "latency/answer/p99/dicomgw", 5)
    yield from at_most(result, "arrival at the PACS, idle, p99", "latency/arrival/p99/dicomgw", 30)
    for what, name in (("received alone", "received alone"), ("end to end", "arrived")):
        yield from ratio(result, f"with a past, {what}", f"growth/grown/{name}", f"growth/young/{name}", 0.9, "without")
    yield from at_most(result, "memory of workers and programs, idle", "memory/idle/private", 60)
    for size, size_name in SIZE_NAMES.items():
        yield from at_most(result, f"memory of an association, {size_name}", f"memory/association/{size}/private", 3)
    yield from at_most(result, "reads while receiving, p99", "reads/p99", 50)
    yield from ratio(result, "received while ten pages are open", "reads/ten pages/received", "reads/nobody/received", 0.9, "nobody looking")
    yield from ratio(result, "end to end, 1,000 routes", "routes/many/arrived", "routes/one/arrived", 0.9, "one route")
    yield from ratio(result, "end to end, half of 200 destinations dead", "destinations/half dead/arrived",
                     "destinations/living/arrived", 0.9, "all living")
    yield from sustained(result)


def sustained(result):
    """Grown is: the last third's median is above that of the third before by more than a second's objects."""
    before, after, rate = (result.median(f"sustained/{name}") for name in ("queue/middle third", "queue/last third", "received"))
    if before is not None and rate:
        yield Target("sustained, the queue", ("at most", rate), after - before,
                     f"{before:,.0f} objects, later {after:,.0f}; wanted no growth (less than a second's objects)")
