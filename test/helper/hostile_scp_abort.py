#!/usr/bin/python3
"""ABORT from the receiver, whatever dicomgw-scp is waiting for (TAP output).

usage: hostile_scp_abort.py scp_driver dicomgw-scp
"""

import socket
import threading
import time

from scp_test import *

PROMPT = 2.0
DATA_SET = bytes(1000)


def abort(pid):
    test.driver.tell("abort %d" % pid)


def ends_with_abort(peer, name, prompt=PROMPT):
    start = time.monotonic()
    kind = peer.receive()[0]
    test.ok(kind == ABORT and time.monotonic() - start < prompt, name + ": A-ABORT")
    test.ok(test.closed_with(TOLD), name + ": reported")


def check_waiting_for_request():
    with Peer(test.port) as peer:
        peer.send(associate_rq([(1, CT_IMAGE, [EXPLICIT_LE])])[:40])
        abort(test.pid("association"))
        ends_with_abort(peer, "half a request")


def check_idle():
    with Peer(test.port) as peer:
        peer.associate()
        pid = test.pid()
        abort(pid)
        ends_with_abort(peer, "an idle association")
        abort(pid)
    test.ok(test.driver.expect("gone %d" % pid) is not None, "the process ends when the peer closes")


def check_within_an_object():
    with Peer(test.port) as peer:
        peer.associate()
        pid = test.pid()
        peer.send_command(store_rq())
        peer.send_data(DATA_SET, last=False)
        peer.send(pdu(P_DATA, pdv(1, DATA_SET, last=False))[:500])
        abort(pid)
        ends_with_abort(peer, "within a PDU of an object")
    test.ok(files_below(test.storage) == [], "nothing is left of the object")


def check_busy():
    """A peer that never stops talking."""
    with Peer(test.port) as peer:
        peer.associate()
        pid = test.pid()
        peer.send_command(store_rq())

        def talk():
            try:
                while True:
                    peer.send_data(bytes(100000), last=False)
            except OSError:
                pass

        talker = threading.Thread(target=talk)
        talker.start()
        abort(pid)
        test.ok(test.closed_with(TOLD), "a peer that never stops: reported")
        talker.join(timeout=10)
        test.ok(not talker.is_alive(), "a peer that never stops: the connection ends")


def check_deaf():
    """A peer that takes no answers: the process is stuck in writing one."""
    with Peer(test.port) as peer:
        peer.associate([(1, VERIFICATION, [IMPLICIT_LE])])
        pid = test.pid()
        requests = pdu(P_DATA, pdv(1, echo_rq(), command=True)) * 1000
        peer.sock.settimeout(0.5)
        try:
            while True:
                peer.send(requests)
        except TimeoutError:
            pass
        abort(pid)
        test.ok(test.closed_with(TOLD), "a peer that takes no answers: reported")
        test.ok(test.driver.expect("gone %d" % pid) is not None, "a peer that takes no answers: ended")


def check_uncommitted():
    """What the receiver has been told of is decided first."""
    test.driver.set(answer="none")
    for answered in (True, False):
        with Peer(test.port) as peer:
            peer.associate()
            pid = test.pid()
            peer.send_command(store_rq())
            peer.send_data(DATA_SET)
            if answered:
                test.driver.expect("received")
                abort(pid)
                # The parent has passed it on before it answers this.
                test.driver.set()
                peer.sock.settimeout(0.3)
                try:
                    early = peer.receive()
                except TimeoutError:
                    early = None
                peer.sock.settimeout(10)
                test.ok(early is None, "an object that is not yet decided: no end yet")
            else:
                test.driver.expect("received")
            test.driver.tell("commit %d 1" % pid)
            test.ok(peer.response() == (0, ""), "its answer comes")
            if answered:
                ends_with_abort(peer, "when it is decided")
            else:
                test.end(peer)
    line = [line for line in test.driver.lines if line.startswith("closed")][-2]
    test.ok(line.split(" ")[3] == "1", "the object counts as stored")
    test.ok(len(files_below(test.storage)) == 2, "and has its file")
    test.driver.set(answer="commit")


def check_others():
    """Only processes of its own are ended."""
    with Peer(test.port) as peer:
        peer.associate()
        for pid in (0, 1, os.getpid(), test.driver.process.pid, 4294967295, 4000000):
            abort(pid)
        test.driver.set()
        test.ok(peer.store(DATA_SET) == (0, ""), "other numbers end nobody")
        test.end(peer)
    test.ok(test.still_serves(), "serves still")


test = ScpTest()
test.run(check_waiting_for_request, check_idle, check_within_an_object, check_busy, check_deaf,
         check_uncommitted, check_others)
