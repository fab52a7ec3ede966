#!/usr/bin/python3
"""Peers that break the rules, against dicomgw-scp (TAP output).

usage: hostile_scp.py scp_driver dicomgw-scp

Whatever a peer sends, the program has to end that association in order,
report why, leave no file behind that was not answered with success, and go
on serving others.
"""

import hashlib
import os
import signal
import socket
import struct
import time

from scp_test import *

DATA_SET = b"".join(struct.pack("<HH2sH", g, e, vr, len(v)) + v for g, e, vr, v in [
    (0x0008, 0x0005, b"CS", b"ISO_IR 100"),
    (0x0008, 0x0016, b"UI", CT_IMAGE.encode() + b"\0"),
    (0x0008, 0x0018, b"UI", b"1.2.3\0"),
    (0x0010, 0x0010, b"PN", b"M\xfcller^Anna"),
])

def hostile(name, data, reason, associate=True, close=True):
    """Send bytes, then nothing more."""
    with Peer(port) as peer:
        if associate:
            peer.associate()
        peer.send(data)
        if close:
            peer.sock.shutdown(socket.SHUT_WR)
        while peer.receive()[0] is not None:
            pass
    ok(closed_with(reason), name)


def check_requests():
    rq = associate_rq([(1, CT_IMAGE, [EXPLICIT_LE])])
    Peer(port).sock.close()
    ok(driver.expect("turned_away") == "turned_away 1 1 127.0.0.1 closed by the peer before it "
       "sent anything", "connection without a byte")
    hostile("half an A-ASSOCIATE-RQ", rq[:60], PEER_GONE, associate=False)
    hostile("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", PROTOCOL, associate=False)
    hostile("unknown PDU type", pdu(0x99, b"x" * 100), PROTOCOL, associate=False)
    hostile("P-DATA-TF before the request", pdu(P_DATA, pdv(1, b"x")), PROTOCOL, associate=False)
    hostile("A-ASSOCIATE-RQ of 4 GB", b"\x01\0\xff\xff\xff\xff" + b"x" * 1000, PROTOCOL,
            associate=False)
    for at in range(6, len(rq), 7):
        # Whatever a length in the middle becomes: an end in order.
        with Peer(port) as peer:
            peer.send(rq[:at] + b"\xff\xff" + rq[at + 2:])
            peer.sock.shutdown(socket.SHUT_WR)
            while peer.receive()[0] is not None:
                pass
        if not driver.expect("closed"):
            ok(False, "damaged A-ASSOCIATE-RQ at %d" % at)
    ok(still_serves(), "serves after damaged requests")


def check_negotiation():
    private = "1.3.6.1.4.1.99999.1"
    many = ["1.2.840.10008.1.2.4.%d" % i for i in range(200)]
    contexts = [(1, CT_IMAGE, [EXPLICIT_LE, IMPLICIT_LE]), (3, VERIFICATION, [IMPLICIT_LE]),
                (5, private, ["1.3.6.1.4.1.99999.2"]), (7, CT_IMAGE, many),
                (9, "1.2.840.10008.5.1.4.1.2.2.1", [IMPLICIT_LE]), (11, CT_IMAGE, ["no UID"]),
                (13, "1.2.840.10008.5.1.4.1.1.999.9", [EXPLICIT_LE])]
    with Peer(port) as peer:
        got = peer.associate(contexts)
        ok(peer.max_pdu == 131072, "our maximum PDU length is offered")
        peer.release()
    ok(closed_with(RELEASED), "released")
    ok(got[1] == (0, EXPLICIT_LE), "the sender's first transfer syntax is taken")
    ok(got[3][0] == 0, "Verification is accepted")
    ok(got[5] == (0, "1.3.6.1.4.1.99999.2"), "private SOP class and transfer syntax are accepted")
    ok(got[7] == (0, many[0]), "200 transfer syntaxes in one context")
    ok(got[9][0] == 3, "Query/Retrieve is refused as abstract syntax")
    ok(got[11][0] == 4, "a transfer syntax that is no UID is refused")
    ok(got[13][0] == 0, "a storage SOP class of the future is accepted")

    for name, options, expected in [
            ("called AE title", {"called": "OTHER"}, (1, 1, 7)),
            ("application context", {"application_context": "1.2.3"}, (1, 1, 2)),
            ("protocol version", {"version": 2}, (1, 2, 2))]:
        with Peer(port) as peer:
            peer.send(associate_rq([(1, CT_IMAGE, [EXPLICIT_LE])], **options))
            kind, body = peer.receive()
            ok(kind == ASSOCIATE_RJ and tuple(body[1:4]) == expected, "wrong " + name)
        driver.expect("closed")


def check_messages():
    command = store_rq()
    data = pdu(P_DATA, pdv(1, command, command=True))
    cases = [
        ("data set without a command", pdu(P_DATA, pdv(1, b"xx"))),
        ("context that was not accepted", pdu(P_DATA, pdv(99, command, command=True))),
        ("data set in another context", data + pdu(P_DATA, pdv(3, b"xx"))),
        ("command in a data set", data + pdu(P_DATA, pdv(1, b"xx", last=False)) + data),
        ("A-RELEASE-RQ in a data set", data + pdu(P_DATA, pdv(1, b"xx", last=False)) +
         pdu(RELEASE_RQ, bytes(4))),
        ("PDV longer than its PDU", pdu(P_DATA, struct.pack(">IBB", 1000, 1, 3))),
        ("PDV of length 0xFFFFFFFF", pdu(P_DATA, struct.pack(">IBB", 0xFFFFFFFF, 1, 3))),
        ("PDV without a head", pdu(P_DATA, struct.pack(">I", 1) + b"x")),
        ("empty PDU", pdu(P_DATA, b"")),
        ("PDU longer than agreed", struct.pack(">BxI", P_DATA, 131072 * 2) + bytes(100)),
        ("command set without an end", pdu(P_DATA, pdv(1, b"x" * 16000, True, False)) * 3),
        ("command set that is none", pdu(P_DATA, pdv(1, b"\xff" * 40, command=True))),
        ("command set cut off", pdu(P_DATA, pdv(1, command[:-3], command=True))),
        ("empty command set", pdu(P_DATA, pdv(1, b"", command=True))),
        ("response to nothing", pdu(P_DATA, pdv(1, command_set(
            {0x100: 0x8001, 0x120: 1, 0x800: NO_DATA_SET, 0x900: 0}), command=True))),
        ("A-ASSOCIATE-RQ once more", associate_rq([(1, CT_IMAGE, [EXPLICIT_LE])])),
        ("unknown PDU type", pdu(0x42, b"x")),
    ]
    for name, sent in cases:
        hostile(name, sent, PROTOCOL)
    hostile("A-ABORT", pdu(ABORT, bytes(4)), PEER_ABORTED)
    hostile("gone in a data set", data + pdu(P_DATA, pdv(1, b"xx" * 5000, last=False)), PEER_GONE)
    hostile("gone in a PDU", data + pdu(P_DATA, pdv(1, b"xx" * 5000))[:777], PEER_GONE)
    ok(files_below(storage) == [], "none of them has left a file")
    ok(still_serves(), "serves after broken messages")


def check_statuses():
    with Peer(port) as peer:
        peer.associate([(1, CT_IMAGE, [EXPLICIT_LE]), (3, VERIFICATION, [IMPLICIT_LE])])
        ok(peer.store(DATA_SET, sop_instance="../../etc/passwd")[0] == 0x0117, "instance no UID")
        ok(peer.store(DATA_SET, sop_instance="1" * 65)[0] == 0x0117, "instance UID too long")
        ok(peer.store(DATA_SET, sop_instance=None)[0] == 0x0117, "no instance UID")
        ok(peer.store(DATA_SET, sop_class="x")[0] == 0xA900, "class no UID")
        ok(peer.store(DATA_SET, sop_class=None)[0] == 0xA900, "no class UID")
        ok(peer.store(DATA_SET, context_id=3)[0] == 0x0122, "C-STORE for Verification")
        ok(peer.store(b"")[0] == 0xC000, "empty data set")
        peer.send_command(store_rq(data_set=NO_DATA_SET))
        ok(peer.response()[0] == 0xC000, "no data set")
        peer.send_command(command_set({0x100: 0x0020, 0x110: 7, 0x800: WITH_DATA_SET}))
        peer.send_data(b"x" * 100000)
        ok(peer.response()[0] == 0x0211, "C-FIND")
        peer.send_command(command_set({0x100: 0x0FFF, 0x120: 7, 0x800: NO_DATA_SET}))
        ok(files_below(storage) == [], "none of them has left a file")
        ok(peer.store(DATA_SET) == (0, ""), "and a good one is stored")
        ok(peer.release(), "released")
    ok(closed_with(RELEASED), "closed")
    ok(len(files_below(storage)) == 1, "one file")


def check_stored_bytes():
    for size in (1, 2, 1001, 262144 - 400, 1 << 20, (3 << 20) + 1):
        data = (DATA_SET + os.urandom(size))[:size]
        with Peer(port) as peer:
            peer.associate()
            answer = peer.store(data)
            line = driver.expect("received").split(" ")
            with open(os.path.join(storage, line[3]), "rb") as file:
                part10 = file.read()
            end(peer)
        ok(answer == (0, "") and part10.endswith(data) and int(line[7]) == len(data) and
           line[8] == hashlib.sha256(data).hexdigest(), "%d bytes stored as sent" % size)
    # One byte a PDV, and a hundred PDVs in one PDU.
    with Peer(port) as peer:
        peer.associate()
        command = store_rq()
        peer.send(b"".join(pdu(P_DATA, pdv(1, command[i:i + 1], True, i + 1 == len(command)))
                           for i in range(len(command))))
        peer.send(pdu(P_DATA, b"".join(pdv(1, DATA_SET[i:i + 1], last=i + 1 == len(DATA_SET))
                                       for i in range(len(DATA_SET)))))
        ok(peer.response() == (0, ""), "one byte in each PDV")
        driver.expect("received")
        end(peer)


def check_headers():
    """No data set is refused for what is in it."""
    deep = b"".join(struct.pack("<HHIHHI", 0x0040, 0xA730, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
                    for _ in range(200000))
    cases = [
        ("random", os.urandom(5000)),
        ("element of 4 GB", struct.pack("<HH2sxxI", 0x0008, 0x0018, b"UT", 0xFFFFFFF0)),
        ("zeros", bytes(100000)),
        ("odd end", DATA_SET + b"\x10"),
        ("NUL in text", DATA_SET + struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 4) + b"a\0b\0"),
        ("not a number", DATA_SET + struct.pack("<HH2sHf", 0x0018, 0x1271, b"FL", 4, float("nan"))),
        ("200000 nested sequences", deep),
    ]
    for name, data in cases:
        with Peer(port) as peer:
            transfer = IMPLICIT_LE if data is deep else EXPLICIT_LE
            peer.associate([(1, CT_IMAGE, [transfer])])
            ok(peer.store(data) == (0, ""), name + " is stored")
            line = driver.expect("received")
            ok(name in ("zeros",) or len(line.split(" ", 10)[10]) > 0, name + " is noted")
            end(peer)
    ok(still_serves(), "serves after odd headers")


def check_refusals():
    driver.set(answer="A700")
    before = len(files_below(storage))
    with Peer(port) as peer:
        peer.associate()
        ok(peer.store(DATA_SET) == (0xA700, "by the driver"), "the receiver's refusal is passed on")
        end(peer)
    ok(len(files_below(storage)) == before, "the refused object's file is gone")
    driver.set(answer="commit", storage=os.path.join(scratch, "missing"))
    with Peer(port) as peer:
        peer.associate()
        ok(peer.store(DATA_SET)[0] == 0x0110, "no storage directory")
        ok(peer.store(DATA_SET)[0] == 0x0110, "and the association goes on")
        end(peer)
    driver.set(storage=storage)


def check_timeouts():
    driver.set(association_timeout=1, idle_timeout=1)
    with Peer(port) as peer:
        ok(driver.expect("turned_away") == "turned_away 1 1 127.0.0.1 nothing sent in time",
           "silence instead of an A-ASSOCIATE-RQ")
    with Peer(port) as peer:
        peer.send(b"\1")
        ok(closed_with(TIMEOUT), "one byte of an A-ASSOCIATE-RQ")
    with Peer(port) as peer:
        peer.associate()
        ok(closed_with(TIMEOUT), "silence in an association")
        ok(peer.receive()[0] == ABORT, "which is aborted")
    with Peer(port) as peer:
        peer.associate()
        peer.send(pdu(P_DATA, pdv(1, store_rq(), command=True)) + pdu(P_DATA, bytes(5000))[:50])
        for _ in range(8):
            time.sleep(0.2)
            try:
                peer.send(b"\0")
            except OSError:
                break
        ok(closed_with(TIMEOUT), "a peer that drips")
    driver.set(association_timeout=10, idle_timeout=60)


def check_limits():
    driver.set(max_associations=2)
    peers = [Peer(port) for _ in range(2)]
    for peer in peers:
        peer.associate()
    with Peer(port) as peer:
        peer.send(associate_rq([(1, CT_IMAGE, [EXPLICIT_LE])]))
        kind, body = peer.receive()
        ok(kind == ASSOCIATE_RJ and tuple(body[1:4]) == (2, 3, 2), "one too many: local limit")
    ok(closed_with(REJECTED), "which is reported")
    for peer in peers:
        end(peer)
    driver.set(max_associations=100)
    ok(still_serves(), "serves when there is room again")


def check_listeners():
    blocked = free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", blocked))
        holder.listen()
        ok(driver.set(port=blocked) == 'listener 1 0 could not bind to address "127.0.0.1", '
           'port %d: Address already in use' % blocked, "an address in use is reported")
    ok(driver.expect("listener 1 1") is not None, "and bound when it is free")
    ok(driver.set(port=port, bind="db.example") == 'listener 1 0 could not bind to address '
       '"db.example", port %d: not an IP address' % port, "names are not looked up")
    ok(driver.set(bind="*") == "listener 1 1 ", "all addresses")
    driver.queue.queue.clear()
    with Peer(port) as peer:
        # A new configuration changes neither the socket nor what is going on.
        peer.associate()
        ok(driver.expect("association").endswith(" 127.0.0.1"), "IPv4 looks like IPv4")
        driver.set(ae="RENAMED")
        ok(peer.store(DATA_SET) == (0, ""), "an association outlives a new configuration")
        end(peer)
    with Peer(port) as peer:
        ok(peer.associate(called="RENAMED") is not None, "the next one meets it")
        end(peer)
    driver.set(ae="DICOMGW", bind="127.0.0.1")
    for _ in range(2):
        driver.expect("closed", 1)


def check_death():
    with Peer(port) as peer:
        peer.associate()
        pid = int(driver.expect("opened").split(" ")[1])
        os.kill(pid, signal.SIGKILL)
        ok(peer.receive()[0] is None, "an association process that dies ends its association")
        ok(driver.expect("log 3 association process") is not None, "and is logged")
    ok(still_serves(), "and nobody else notices")
    driver.set(answer="none")
    with Peer(port) as peer:
        peer.associate()
        pid = int(driver.expect("opened").split(" ")[1])
        peer.send_command(store_rq())
        peer.send_data(DATA_SET)
        driver.expect("received")
        ok(driver.quit() == 0, "the program ends with its receiver")
        ok(peer.receive()[0] is None, "without an answer to what was not committed")
    for _ in range(100):
        if not os.path.exists("/proc/%d" % pid):
            break
        time.sleep(0.05)
    ok(not os.path.exists("/proc/%d" % pid), "and no association process is left")


test = ScpTest()
driver, port, storage, scratch = test.driver, test.port, test.storage, test.scratch
ok, closed_with, end, still_serves = test.ok, test.closed_with, test.end, test.still_serves
test.run(check_requests, check_negotiation, check_messages, check_statuses, check_stored_bytes,
         check_headers, check_refusals, check_timeouts, check_limits, check_listeners, check_death)
