"""
Two hundred destinations, half of them dead: of these, half refuse the connection and half take it
and never say a word.  Each object has a route to one living destination, by the last digits of
its UID, and with the dead ones to one of those, too.  What arrives with the living a second, with
the dead ones and without.  All living destinations are one storescp.
"""

import socket

from lib.process import free_port, wait_until

SENDERS = 4


def run(bench):
    half = bench.plan.destinations // 2
    with bench.storescp("pacs") as pacs, bench.gateway() as gateway, socket.create_server(("127.0.0.1", 0), backlog=1024) as silent:
        make_destinations(gateway, "living", half, [pacs.port])
        make_destinations(gateway, "dead", half, [free_port(), silent.getsockname()[1]])
        for _ in range(bench.plan.runs):
            for dead in (False, True):
                gateway.sql(f"UPDATE dicomgw.route SET enabled = {dead} WHERE name LIKE 'dead%'")
                measure(bench, gateway, pacs, half, dead)


def make_destinations(gateway, kind, count, ports):
    ports = f"ARRAY{ports}"
    gateway.sql(f"""INSERT INTO dicomgw.destination (name, host, port, ae_title, max_associations)
                    SELECT '{kind}' || i, '127.0.0.1', ({ports})[1 + i % cardinality({ports})], 'PACS', 4 FROM generate_series(0, {count - 1}) i""")
    gateway.sql(f"""INSERT INTO dicomgw.route (name, destination, predicate)
                    SELECT '{kind}' || i, '{kind}' || i, 'right(sop_instance_uid, 6)::integer % {count} = ' || i
                    FROM generate_series(0, {count - 1}) i""")


def measure(bench, gateway, pacs, half, dead):
    gateway.clear()
    pacs.clear()
    # each destination has had an object: routes are compiled, the dead are known to be
    bench.send_through(gateway, pacs, "small", options=("-n", half))
    if dead:
        wait_until(lambda: int(gateway.value("SELECT count(*) FROM dicomgw.destination_status WHERE state = 'down'")) >= half // 2,
                   "those that refuse are down")
    gateway.clear()
    pacs.clear()
    sent, arrived = bench.send_through(gateway, pacs, "small", SENDERS)
    gateway.verify(bench.templates["small"], sent.numbers)
    pacs.verify(bench.templates["small"], sent.numbers)
    bench.add(f"destinations/{'half dead' if dead else 'living'}/arrived", "objects/s", arrived)
    bench.add(f"destinations/{'half dead' if dead else 'living'}/received", "objects/s", sent.rate)
