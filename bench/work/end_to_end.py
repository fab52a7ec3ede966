"""
Receive, route, forward to a PACS (a storescp), all at once: objects a second that have arrived
there, from the first connect to the last arrival, and beside it those received a second meanwhile.
Orthanc routes by its Lua script.  Each gateway has a PACS of its own.
"""


def run(bench):
    with bench.storescp("pacs") as pacs, bench.storescp("orthanc-pacs") as orthanc_pacs, \
            bench.gateway() as gateway, bench.orthanc(orthanc_pacs) as orthanc:
        gateway.forward_to(pacs)
        pairs = [pair for pair in ((gateway, pacs), (orthanc, orthanc_pacs)) if pair[0]]
        for size in bench.plan.sizes:
            for senders in bench.plan.senders:
                for _ in range(bench.plan.runs):
                    for peer, behind in pairs:
                        measure(bench, peer, behind, size, senders)


def measure(bench, peer, pacs, size, senders):
    peer.clear()
    pacs.clear()
    sent, arrived = bench.send_through(peer, pacs, size, senders)
    peer.verify(bench.templates[size], sent.numbers)
    if peer.name == "dicomgw":
        peer.verify_sent(len(sent.numbers))
    pacs.verify(bench.templates[size], sent.numbers)
    bench.add(f"end_to_end/{size}/{senders}/{peer.name}", "objects/s", arrived)
    bench.add(f"end_to_end/{size}/{senders}/{peer.name} received", "objects/s", sent.rate)
