"""
How many objects a second are received: by the gateway durably (every file and directory synced,
every header parsed, every row committed before its sender has the answer), by Orthanc with its
index in PostgreSQL (synced), by storescp +B, which only writes.  Routing is off: receiving alone.
The peers take turns, so that all of them have the machine's good and bad minutes.
"""


def run(bench):
    with bench.gateway() as gateway, bench.orthanc() as orthanc, bench.storescp() as storescp:
        gateway.switch_routing(False)
        peers = [peer for peer in (gateway, orthanc, storescp) if peer]
        for size in bench.plan.sizes:
            for senders in bench.plan.senders:
                for _ in range(bench.plan.runs):
                    for peer in peers:
                        receive(bench, peer, size, senders)


def receive(bench, peer, size, senders):
    peer.clear()
    sent = bench.send(peer.port, size, senders)
    peer.verify(bench.templates[size], sent.numbers)
    bench.add(f"receive/{size}/{senders}/{peer.name}", "objects/s", sent.rate)
