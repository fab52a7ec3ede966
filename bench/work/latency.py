"""
One small object at a time, ten a second, on a gateway that has nothing else to do: how long its
sender waits for the answer, and when the file is complete with the PACS; both from the first byte
of the C-STORE-RQ.  The association stays open, as a modality's does during an examination.
"""

from lib.arrivals import Arrivals
from lib.process import wait_until
from lib.result import percentile

PAUSE_MS = 100


def run(bench):
    with bench.storescp("pacs") as pacs, bench.gateway() as gateway:
        gateway.forward_to(pacs)
        measure(bench, gateway, pacs)
    with bench.storescp("pacs") as pacs, bench.orthanc(pacs) as orthanc:
        if orthanc:
            measure(bench, orthanc, pacs)


def measure(bench, peer, pacs):
    bench.send_through(peer, pacs, "small", options=("-n", 50, "-i", 20))  # warm
    for _ in range(bench.plan.runs):
        peer.clear()
        pacs.clear()
        one_run(bench, peer, pacs)


def one_run(bench, peer, pacs):
    arrivals = Arrivals(pacs.folder)
    sent = bench.send(peer.port, "small", options=("-n", bench.plan.single_objects, "-i", PAUSE_MS, "-l"))
    wait_until(lambda: len(arrivals.seen) >= len(sent.numbers), "all objects are with the PACS", 600)
    peer.verify(bench.templates["small"], sent.numbers)
    pacs.verify(bench.templates["small"], sent.numbers)
    arrived = {int(name[-16:]): at for name, at in arrivals.seen.items()}
    answers = [(answer - begin) / 1e6 for _, begin, answer in sent.objects]
    arrival = [(arrived[number] - begin) / 1e6 for number, begin, _ in sent.objects]
    for what, times in (("answer", answers), ("arrival", arrival)):
        for percent in (50, 99):
            bench.add(f"latency/{what}/p{percent}/{peer.name}", "ms", percentile(times, percent), "lower")
