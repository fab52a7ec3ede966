#!/usr/bin/python3
"""Peers that come in masses, or take their time, against dicomgw-scp (TAP output).

usage: hostile_scp_waiting.py scp_driver dicomgw-scp

Connections that say nothing, or not enough, must cost other callers nothing:
neither their turn nor their time.  Other callers are other addresses of the
loopback network.
"""

import struct
import time

from scp_test import *

OTHER = "127.0.0.9"
PROMPT = 1.0  # seconds in which another caller is served


def serves_others_promptly():
    start = time.monotonic()
    good = test.still_serves(source=OTHER)
    return good and time.monotonic() - start < PROMPT


def processes():
    """How many association processes there are."""
    found = 0
    parent = test.driver.process.pid
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as file:
                ppid = int(file.read().rpartition(")")[2].split()[1])
            with open("/proc/%d/stat" % ppid) as file:
                found += int(file.read().rpartition(")")[2].split()[1]) == parent
        except (OSError, IndexError):
            pass
    return found


def eventually(condition, timeout=15):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def nothing_left():
    """All that waits at the addresses used here has had its turn, and its end."""
    with Peer(test.port) as peer:
        peer.associate()
        peer.release()
    gone = eventually(lambda: processes() == 0)
    test.driver.forget()
    return gone


def turned_away(connections):
    """For what reasons so many connections are turned away, from now on: {reason: how often}."""
    reasons = {}
    while sum(reasons.values()) < connections:
        line = test.driver.expect("turned_away ")
        if line is None:
            print("# only %s" % reasons)
            break
        _, _, count, _, message = line.split(" ", 4)
        reasons[message] = reasons.get(message, 0) + int(count)
    return reasons


def close(peers):
    for peer in peers:
        peer.sock.close()


def check_idle():
    """1,100 connections from one address that say nothing."""
    test.driver.set(association_timeout=60)
    peers = [Peer(test.port) for _ in range(1024)]
    test.ok(processes() == 0, "1,024 idle connections have no process")
    test.ok(serves_others_promptly(), "others are served meanwhile")
    more = [Peer(test.port) for _ in range(76)]
    test.ok(turned_away(76) == {"too many connections from there are waiting": 76},
            "more from the same address are closed, and counted")
    test.ok(all(peer.receive()[0] is None for peer in more), "at once")
    test.ok(serves_others_promptly(), "others are served still")
    for peer in peers[:3]:
        test.ok(peer.associate() is not None and test.end(peer), "an idle one that wakes up is served")
    close(peers + more)
    test.ok(turned_away(1021) == {"closed by the peer before it sent anything": 1021},
            "what ends by itself is counted")
    test.driver.set(association_timeout=1)
    peers = [Peer(test.port) for _ in range(200)]
    test.ok(turned_away(200) == {"nothing sent in time": 200}, "idle ones are closed in time")
    test.ok(all(peer.receive()[0] is None for peer in peers), "all of them")
    close(peers)


def check_full():
    """More than 4,096 in all: the address that has the most gives way."""
    test.driver.set(association_timeout=60)
    peers = [Peer(test.port, source="127.0.1.%d" % (i % 5 + 1)) for i in range(4200)]
    reasons = turned_away(104)
    test.ok(set(reasons) <= {"made room for others", "too many connections are waiting"},
            "beyond that as many are closed as come")
    test.ok(serves_others_promptly(), "another caller is served although the room is full")
    test.ok(turned_away(1) == {"made room for others": 1}, "one of the crowd made room")
    close(peers)
    test.ok(set(turned_away(4095)) == {"closed by the peer before it sent anything"},
            "each connection is counted once")


def check_drips():
    """Connections of which each has sent one byte."""
    test.driver.set(association_timeout=60, max_associations=100)
    peers = [Peer(test.port) for _ in range(300)]
    for peer in peers:
        peer.send(b"\1")
    test.ok(eventually(lambda: processes() >= 64), "they have processes")
    test.ok(processes() == 64, "64 of them, not more")
    test.ok(serves_others_promptly(), "others are served meanwhile")
    good = [Peer(test.port, source=OTHER) for _ in range(40)]
    test.ok(all(peer.associate() is not None for peer in good),
            "forty associations of another caller, too")
    close(peers)
    for peer in good:
        peer.release()
    close(good)
    test.ok(nothing_left(), "nothing is left of it")


def check_small_limit():
    """The room of a gateway with few associations is not one peer's either."""
    test.driver.set(association_timeout=5, max_associations=2)
    peers = [Peer(test.port) for _ in range(100)]
    for peer in peers:
        peer.send(b"\1")
    test.ok(eventually(lambda: processes() >= 17), "a dripping peer takes its half")
    test.ok(processes() <= 17, "and no more than that")
    test.ok(serves_others_promptly(), "others are served meanwhile")
    test.ok(set(turned_away(50)) == {"no association process was free in time"},
            "what had no turn is closed in time")
    close(peers)
    test.ok(nothing_left(), "nothing is left of it")
    test.driver.set(association_timeout=10, max_associations=100)


def check_turn():
    """Whoever waits for a process gets it when there is one: first come, first served."""
    test.driver.set(max_associations=1, association_timeout=30)
    request = associate_rq([(1, VERIFICATION, [IMPLICIT_LE])])
    crowd = [Peer(test.port, source="127.0.0.%d" % (i + 10)) for i in range(33)]
    for peer in crowd:
        peer.send(request[:1])
    test.ok(eventually(lambda: processes() == 33), "every process is taken")
    first, second = Peer(test.port, source="127.0.0.2"), Peer(test.port, source="127.0.0.3")
    first.send(request)
    # When the parent answers this, it has seen that one.
    test.driver.set()
    second.send(request)
    crowd[0].sock.close()
    test.ok(first.receive()[0] == ASSOCIATE_AC, "who waited first gets the place of one that went")
    crowd[1].sock.close()
    test.ok(second.receive()[0] == ASSOCIATE_RJ, "then the second one, to hear that it is too many")
    close(crowd)
    close([first, second])
    test.ok(nothing_left(), "nothing is left of it")
    test.driver.set(max_associations=100, association_timeout=10)


def garbage(begin, total=1 << 30):
    """Send so much of nothing after the beginning; how much the program took."""
    chunk = bytes(1 << 20)
    sent = 0
    with Peer(test.port, timeout=30) as peer:
        try:
            begin(peer)
            while sent < total:
                peer.send(chunk)
                sent += len(chunk)
            while peer.receive()[0] is not None:
                pass
        except OSError:
            pass
    return sent


def check_garbage():
    """1 GiB that makes no sense ends early, and takes no memory."""
    def nothing(peer):
        pass

    def long_request(peer):
        peer.send(struct.pack(">BxI", ASSOCIATE_RQ, 1 << 30))

    def user_information(peer):
        peer.send(struct.pack(">BxI", ASSOCIATE_RQ, 0x7FFFFFFF) + associate_rq([])[6:])

    def long_data(peer):
        peer.associate()
        peer.send(struct.pack(">BxI", P_DATA, 1 << 30))

    def long_fragment(peer):
        peer.associate()
        peer.send(struct.pack(">BxIIBB", P_DATA, 131072, 1 << 30, 1, 3))

    def long_command(peer):
        peer.associate()
        for _ in range(20):
            peer.send(pdu(P_DATA, pdv(1, bytes(16000), command=True, last=False)))

    for begin in (nothing, long_request, user_information, long_data, long_fragment, long_command):
        start = time.monotonic()
        sent = garbage(begin)
        reason = test.closed()
        test.ok(reason[0] == PROTOCOL and sent < 64 << 20 and time.monotonic() - start < 10,
                "1 GiB as %s: %s" % (begin.__name__.replace("_", " "), reason[1]))
    test.ok(serves_others_promptly(), "serves others after that")


def check_descriptors():
    """Idle connections leave descriptors for others, however few there are."""
    few = ScpTest(descriptors=256)
    peers = [Peer(few.port) for _ in range(300)]
    start = time.monotonic()
    test.ok(few.still_serves(source=OTHER) and time.monotonic() - start < PROMPT,
            "256 descriptors, 300 idle connections: others are served")
    close(peers)
    few.stop()


test = ScpTest()
test.run(check_idle, check_full, check_drips, check_small_limit, check_turn, check_garbage,
         check_descriptors)
