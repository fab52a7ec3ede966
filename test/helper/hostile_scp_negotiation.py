#!/usr/bin/python3
"""What dicomgw-scp makes of an A-ASSOCIATE-RQ, and of the receiver's word (TAP output).

usage: hostile_scp_negotiation.py scp_driver dicomgw-scp

Roles, user identity, permissions, transfer syntaxes, PDU lengths, operations
that are not asked for one by one, and presentation contexts against the rules.
"""

import ctypes
import struct

from scp_test import *

BOTH = [(1, CT_IMAGE, [EXPLICIT_LE]), (3, VERIFICATION, [IMPLICIT_LE])]
JPEG_LS, JPEG_2000 = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
DATA_SET = struct.pack("<HH2sH", 8, 0x18, b"UI", 6) + b"1.2.3\0"


def negotiate(contexts=None, **options):
    """What the answer was: the peer, after its association has ended."""
    with Peer(test.port) as peer:
        peer.results = peer.associate(contexts or BOTH, **options)
        if peer.results is not None:
            test.end(peer)
        else:
            peer.closed = test.closed()
    return peer


def check_requested():
    negotiate(calling="CT\x01SCAN\xe9", max_pdu=30000)
    test.ok(test.driver.lines and any(
        line.split(" ", 2)[2] == "30000 2 CT?SCAN?? DICOMGW WIRE"
        for line in test.driver.lines if line.startswith("requested")),
        "AE titles are cleaned; maximum PDU length and contexts are reported")


def check_roles():
    for scu, scp, result, answer in ((1, 0, 0, b"\1\0"), (1, 1, 0, b"\1\0"), (0, 1, 1, None)):
        peer = negotiate(user_items=role_selection(CT_IMAGE, scu, scp))
        test.ok(peer.results[1][0] == result and peer.results[3][0] == 0,
                "SCU %d, SCP %d proposed: result %d" % (scu, scp, result))
        roles = peer.user_items.get(0x54, [])
        if answer is not None:
            uid = CT_IMAGE.encode()
            test.ok(roles == [struct.pack(">H", len(uid)) + uid + answer], "SCU role alone is accepted")
        else:
            test.ok(all(value[-2:] == bytes(2) for value in roles), "no role is accepted")
    test.ok(0x54 not in negotiate().user_items, "no roles proposed: none in the answer")


def check_identity():
    item = user_identity(1, "Müller".encode(), response=1)
    peer = negotiate(user_items=item)
    test.ok(0x59 not in peer.user_items, "a name that was not asked for gets no response")
    test.ok(any(line.endswith(" 1 Müller") for line in test.driver.lines), "user name is reported")
    for name, expected in ((b"a\0b\x7f\n", "a�b��"), (b"\xff\xc0\xaf\xed\xa0\x80", "������"),
                           ("ö".encode() * 300, "ö" * 128 + "…")):
        test.driver.lines.clear()
        negotiate(user_items=user_identity(2, name, b"secret"))
        test.ok(any(line.endswith(" 2 " + expected) for line in test.driver.lines),
                "user name %r is cleaned" % name[:8])
    for kind in (3, 4, 5, 9, 255):
        test.driver.lines.clear()
        peer = negotiate(user_items=user_identity(kind, b"\xca\xfe" * 500, response=1))
        named = [line for line in test.driver.lines if line.startswith("identity")]
        test.ok(peer.results is not None and 0x59 not in peer.user_items and
                all(line.endswith(" ") for line in named),
                "identity of type %d is not verified, nor shown" % kind)


def argon2id(passcode):
    """As the database keeps it."""
    lib = ctypes.CDLL("libargon2.so.1")
    encoded = ctypes.create_string_buffer(200)
    size = ctypes.c_size_t
    code = lib.argon2id_hash_encoded(5, 7168, 1, passcode, size(len(passcode)),
                                     b"0123456789abcdef", size(16), size(32), encoded, size(200))
    assert code == 0, code
    return encoded.value.decode()


def check_passcode():
    passcode = "pass wörd\0x".encode()
    test.driver.set(passcode_hash=argon2id(passcode))
    peer = negotiate(user_items=user_identity(2, b"ct", passcode))
    test.ok(peer.results is not None and 0x59 not in peer.user_items, "the right passcode")
    peer = negotiate(user_items=user_identity(2, b"ct", passcode, response=1))
    test.ok(peer.user_items.get(0x59) == [b"\0\0"], "positive response, when it was asked for")
    for what, item in (("wrong passcode", user_identity(2, b"ct", b"wrong")),
                       ("passcode cut short", user_identity(2, b"ct", passcode[:-1])),
                       ("empty passcode", user_identity(2, b"ct", b"")),
                       ("passcode of 60 KB", user_identity(2, b"ct", b"x" * 60000)),
                       ("name alone", user_identity(1, b"ct")),
                       ("Kerberos", user_identity(3, passcode)),
                       ("no identity", b"")):
        peer = negotiate(user_items=item)
        why = "wrong passcode" if "passcode" in what else "no passcode"
        test.ok(peer.rejected == (1, 2, 1) and peer.closed == (REJECTED, why), what + " is rejected")
    test.driver.set(passcode_hash="$argon2id$v=19$damaged")
    peer = negotiate(user_items=user_identity(2, b"ct", passcode))
    test.ok(peer.rejected == (1, 2, 1), "a damaged hash lets nobody in")
    test.driver.set(passcode_hash="")


def check_damaged_identity():
    for what, item in (
            ("primary field too long", b"\x58\0\0\x08\2\0\xff\xffab\0\0"),
            ("secondary field too long", b"\x58\0\0\x08\2\0\0\1a\xff\xffb"),
            ("no secondary field", b"\x58\0\0\x05\2\0\0\1a"),
            ("empty item", b"\x58\0\0\0"),
            ("item too long", b"\x58\0\xff\xff\2\0\0\1a\0\1b"),
            ("two items", user_identity(1, b"a") + user_identity(2, b"b", b"c"))):
        with Peer(test.port) as peer:
            peer.associate(BOTH, user_items=item)
            peer.sock.shutdown(socket.SHUT_WR)
            while peer.receive()[0] is not None:
                pass
        test.ok(test.closed()[0] in (PROTOCOL, PEER_GONE), "user identity: " + what)


def check_permissions():
    test.driver.set(may_store=0)
    with Peer(test.port) as peer:
        results = peer.associate(BOTH + [(5, "1.2.840.10008.5.1.4.1.2.2.1", [IMPLICIT_LE])])
        test.ok([results[i][0] for i in (1, 3, 5)] == [1, 0, 3], "storage is refused by result 1")
        peer.send_command(echo_rq(), 3)
        test.ok(peer.response() == (0, ""), "C-ECHO is served")
        answer = peer.store(DATA_SET, context_id=3)
        test.ok(answer[0] == 0x0124, "C-STORE that comes all the same is not authorized")
        test.end(peer)
    test.driver.set(may_store=1, may_echo=0)
    with Peer(test.port) as peer:
        results = peer.associate(BOTH)
        test.ok([results[i][0] for i in (1, 3)] == [0, 1], "Verification is refused by result 1")
        peer.send_command(echo_rq(), 1)
        test.ok(peer.response()[0] == 0x0124, "C-ECHO that comes all the same is not authorized")
        test.ok(peer.store(DATA_SET) == (0, ""), "C-STORE is served")
        test.end(peer)
    test.driver.set(may_echo=1)
    test.ok(len(files_below(test.storage)) == 1, "one file was kept")


def check_transfer_syntaxes():
    many = ["1.3.6.1.4.1.99999.%d" % i for i in range(100)]
    contexts = [(1, CT_IMAGE, [EXPLICIT_LE, IMPLICIT_LE, JPEG_LS]),
                (3, CT_IMAGE, [IMPLICIT_LE, EXPLICIT_LE]), (5, CT_IMAGE, many + [JPEG_2000]),
                (7, CT_IMAGE, many)]
    test.driver.set(transfer_syntaxes=",".join([JPEG_2000, JPEG_LS, EXPLICIT_LE]))
    chosen = {i: ts for i, (_, ts) in negotiate(contexts).results.items()}
    test.ok(chosen == {1: JPEG_LS, 3: EXPLICIT_LE, 5: JPEG_2000, 7: many[0]},
            "the first of the preferred ones, or else the sender's first")
    test.driver.set(transfer_syntaxes="")
    chosen = {i: ts for i, (_, ts) in negotiate(contexts).results.items()}
    test.ok(chosen == {1: EXPLICIT_LE, 3: IMPLICIT_LE, 5: many[0], 7: many[0]},
            "without preferences the sender's first")


def check_contexts():
    for what, contexts in (("even ID", [(2, CT_IMAGE, [EXPLICIT_LE])]),
                           ("ID 0", [(0, CT_IMAGE, [EXPLICIT_LE])]),
                           ("ID used twice", [(1, CT_IMAGE, [EXPLICIT_LE]),
                                              (1, VERIFICATION, [IMPLICIT_LE])]),
                           ("300 contexts", [(i % 256, CT_IMAGE, [EXPLICIT_LE])
                                             for i in range(1, 601, 2)])):
        peer = negotiate(contexts)
        test.ok(peer.results is None and peer.closed[0] == PROTOCOL, what + ": aborted")
    contexts = [(i, CT_IMAGE, [EXPLICIT_LE]) for i in range(1, 256, 2)]
    test.ok(len(negotiate(contexts).results) == 128, "128 contexts")
    test.ok(negotiate([(1, CT_IMAGE, [])]).closed[0] == PROTOCOL, "no transfer syntax: aborted")


def check_other_items():
    uid = CT_IMAGE.encode()
    extended = item(0x56, struct.pack(">H", len(uid)) + uid + b"\2\0\3\0\0\0")
    common = item(0x57, struct.pack(">H", len(uid)) + uid + struct.pack(">H", 17) +
                  b"1.2.840.10008.4.2" + b"\0\0")
    peer = negotiate(user_items=extended + common + item(0x99, b"unknown"))
    test.ok(peer.results is not None and 0x57 not in peer.user_items, "extended negotiation does no harm")
    peer = negotiate(user_items=item(0x53, struct.pack(">HH", 0, 0)))
    window = peer.user_items.get(0x53, [b"\0\1\0\1"])
    test.ok(window == [b"\0\1\0\1"], "asynchronous operations are answered 1 and 1, or not at all")


def check_pipelined():
    """Requests that don't wait for their answers are served one after the other."""
    with Peer(test.port) as peer:
        peer.associate(BOTH, user_items=item(0x53, struct.pack(">HH", 50, 50)))
        data = b""
        for i in range(1, 51):
            data += pdu(P_DATA, pdv(1, store_rq(message_id=i), True))
            data += pdu(P_DATA, pdv(1, DATA_SET))
            data += pdu(P_DATA, pdv(3, echo_rq(message_id=1000 + i), True))
        peer.send(data)
        answers = [parse_command(peer.receive()[1][6:]) for _ in range(100)]
        ids = [struct.unpack("<H", a[0x120])[0] for a in answers]
        test.ok(ids == [n for i in range(1, 51) for n in (i, 1000 + i)] and
                all(a[0x900] == b"\0\0" for a in answers), "100 requests at once")
        test.end(peer)


def check_pdu_lengths():
    for ours in (4096, 16384, 131072):
        test.driver.set(max_pdu=ours)
        with Peer(test.port) as peer:
            peer.associate()
            test.ok(peer.max_pdu == ours, "%d bytes are offered" % ours)
            test.ok(peer.store(DATA_SET + bytes(300000)) == (0, ""), "PDUs of that length are taken")
            test.end(peer)
        for parts in (1, 2):
            with Peer(test.port) as peer:
                peer.associate()
                peer.send_command(store_rq())
                sizes = [ours - 6 * parts + 1 - (parts - 1) * 100] + [100] * (parts - 1)
                peer.send(pdu(P_DATA, b"".join(pdv(1, bytes(size), last=False) for size in sizes)))
                test.ok(peer.receive()[0] == ABORT and test.closed_with(PROTOCOL),
                        "one byte more in %d PDVs is an abort" % parts)
    test.driver.set(max_pdu=131072, answer="A700")
    for theirs in (14, 15, 17, 20, 24, 25, 30, 100, 4096):
        with Peer(test.port) as peer:
            peer.associate(max_pdu=theirs)
            peer.send_command(store_rq())
            peer.send_data(DATA_SET)
            command, last, longest = b"", False, 0
            while not last:
                kind, body = peer.receive()
                if kind != P_DATA:
                    break
                longest = max(longest, len(body))
                command += body[6:]
                last = bool(body[5] & 2)
            good = last and parse_command(command)[0x900] == b"\0\xa7"
            test.ok(good and longest <= theirs, "a peer that takes %d bytes" % theirs)
            test.end(peer)
    for theirs in (1, 7, 13):
        peer = Peer(test.port)
        peer.associate(max_pdu=theirs)
        test.ok(test.closed_with(PROTOCOL), "a peer that takes %d is aborted" % theirs)
        peer.sock.close()
    test.driver.set(answer="commit")
    with Peer(test.port) as peer:
        peer.associate(max_pdu=0)
        test.ok(peer.store(DATA_SET) == (0, ""), "a peer without a limit")
        test.end(peer)


test = ScpTest()
test.run(check_requested, check_roles, check_identity, check_passcode, check_damaged_identity,
         check_permissions, check_transfer_syntaxes, check_contexts, check_other_items,
         check_pipelined, check_pdu_lengths, lambda: test.ok(test.still_serves(), "serves still"))
