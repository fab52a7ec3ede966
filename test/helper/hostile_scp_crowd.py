#!/usr/bin/python3
"""A thousand associations at once, and what each costs (TAP output).

usage: hostile_scp_crowd.py scp_driver dicomgw-scp

Half of them over TLS.  With the sanitizers a process is a multiple of what it
is in earnest, so this is about the program as it is installed, if it has been
built (two folders up from the other); else the crowd is smaller, and its
memory is not judged.
"""

import os
import ssl
import struct
import subprocess
import sys

from scp_test import *

OBJECT = struct.pack("<HH2sH", 8, 0x18, b"UI", 6) + b"1.2.3\0" + struct.pack(
    "<HH2sxxI", 0x7FE0, 0x10, b"OW", 512 * 1024) + bytes(512 * 1024)
MOST = 1024  # KB of its own that an association process may have


def kilobytes(pid, fields=("Private_Dirty", "Private_Clean")):
    """What the process has for itself."""
    total = 0
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            if line.split(":")[0] in fields:
                total += int(line.split()[1])
    return total


def tls_client():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def make_certificate():
    pem, key = (os.path.join(test.scratch, name) for name in ("server.pem", "server.key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", pem, "-subj", "/CN=localhost"], check=True, capture_output=True)
    test.driver.set(tls_certificate=pem, tls_key=key, listeners=2)
    return test.driver.expect("listener 2") == "listener 2 1 "


def report(what, pids):
    sizes = {kind: sorted(kilobytes(pid) for pid in group) for kind, group in pids.items()}
    shares = [kilobytes(pid, ("Pss",)) for group in pids.values() for pid in group]
    print("# %s: private %s, Pss %d to %d KB" % (what, ", ".join(
        "%s %d to %d KB" % (kind, s[0], s[-1]) for kind, s in sizes.items()),
        min(shares), max(shares)))
    return max(s[-1] for s in sizes.values())


def check_crowd():
    test.ok(make_certificate(), "both listeners")
    test.driver.set(max_associations=size)
    context = tls_client()
    peers, pids = [], {"plain": [], "TLS": []}
    good = True
    for i in range(size):
        tls = i % 2 == 1
        peer = Peer(tls_port if tls else test.port, tls=context if tls else None, timeout=30)
        good = good and peer.associate([(1, CT_IMAGE, [EXPLICIT_LE]),
                                        (3, VERIFICATION, [IMPLICIT_LE])]) is not None
        pids["TLS" if tls else "plain"].append(test.pid())
        peers.append(peer)
    test.ok(good, "%d associations at once" % size)
    with Peer(test.port) as peer:
        test.ok(peer.associate() is None and peer.rejected == (2, 3, 2), "one more is too many")
    for peer in peers:
        peer.send_command(echo_rq(), 3)
    test.ok(all(peer.response() == (0, "") for peer in peers), "a C-ECHO over each")
    largest = report("idle", pids)
    for peer in peers:
        good = good and peer.store(OBJECT) == (0, "")
    test.ok(good, "a C-STORE of 512 KB over each")
    largest = max(largest, report("after an object", pids))
    test.ok(sanitized or largest < MOST, "none has more than %d KB of its own" % MOST)
    for peer in peers:
        good = good and peer.release()
        peer.sock.close()
    test.ok(good, "all are released")


installed = os.path.join(os.path.dirname(sys.argv[2]), "..", "..", "dicomgw-scp")
sanitized = not os.access(installed, os.X_OK)
size = 100 if sanitized else 1000
tls_port = free_port()
test = ScpTest(program=None if sanitized else installed, tls_port=tls_port)
test.run(check_crowd)
