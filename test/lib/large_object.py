#!/usr/bin/python3
"""Both ends of a gateway for one object of any size, which neither of them ever holds.

usage: large_object.py send PORT MEGABYTES
       large_object.py receive PORT FILE

"send" makes the object while it sends it: encapsulated pixel data of undefined
length in many fragments, so that the dataset may be longer than 4 GiB.  It prints
"<status> <size> <SHA-256>" and releases the association at the end of its input,
so that somebody may look at the other side meanwhile.

"receive" is a PACS that hashes what it gets and drops it: a line "<SOP Instance
UID> <size> <SHA-256>" in FILE for each object.
"""

import hashlib
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "helper"))

from dicom_wire import *

MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.7.4"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
SOP_INSTANCE = "1.2.826.0.1.3680043.9.7433.4.1"
FRAGMENT = 16 * 1024 * 1024
MAX_PDU = 131072
RESPONSE = 0x8000


def explicit(group, number, vr, value):
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def pieces(megabytes):
    """The dataset, piece by piece."""
    pattern = bytes(range(256)) * 4096
    yield (explicit(0x0008, 0x0016, b"UI", MULTI_FRAME.encode()) +
           explicit(0x0008, 0x0018, b"UI", SOP_INSTANCE.encode()) +
           explicit(0x0020, 0x000D, b"UI", b"1.2.826.0.1.3680043.9.7433.4.2") +
           struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF) +
           struct.pack("<HHI", 0xFFFE, 0xE000, 0))
    left = megabytes * 1024 * 1024
    while left > 0:
        fragment = min(left, FRAGMENT)
        yield struct.pack("<HHI", 0xFFFE, 0xE000, fragment)
        for _ in range(fragment // len(pattern)):
            yield pattern
        left -= fragment
    yield struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def send(port, megabytes):
    digest = hashlib.sha256()
    size = 0
    with Peer(port, timeout=300) as peer:
        peer.associate([(1, MULTI_FRAME, [JPEG_2000])], calling="LARGE")
        chunk = peer.max_pdu - 6
        peer.send_command(store_rq(MULTI_FRAME, SOP_INSTANCE))
        for piece in pieces(megabytes):
            digest.update(piece)
            size += len(piece)
            for at in range(0, len(piece), chunk):
                peer.send(pdu(P_DATA, pdv(1, piece[at:at + chunk], last=False)))
        peer.send(pdu(P_DATA, pdv(1, b"")))
        answer = peer.response()
        print(answer[0] if isinstance(answer, tuple) else answer, size, digest.hexdigest(),
              flush=True)
        sys.stdin.read()
        peer.release()


class Pacs:
    """One association, served until it ends."""

    def __init__(self, sock, log):
        self.sock = sock
        self.log = log
        self.buffer = memoryview(bytearray(MAX_PDU * 2))

    def read(self, length):
        """So many bytes, valid until the next read."""
        got = 0
        while got < length:
            n = self.sock.recv_into(self.buffer[got:length])
            if n == 0:
                raise ConnectionError("the peer has gone")
            got += n
        return self.buffer[:length]

    def accept(self, request):
        contexts, at = b"", 68
        while at < len(request):
            kind, length = struct.unpack_from(">BxH", request, at)
            if kind == 0x20:
                inner = request[at + 8:at + 4 + length]
                transfer = inner[4 + struct.unpack_from(">H", inner, 2)[0]:]
                contexts += item(0x21, struct.pack(">Bxxx", request[at + 4]) + transfer)
            at += 4 + length
        user = item(0x51, struct.pack(">I", MAX_PDU)) + item(0x52, b"1.2.3.4")
        self.sock.sendall(pdu(ASSOCIATE_RQ + 1, request[:68] + item(
            0x10, APPLICATION_CONTEXT.encode()) + contexts + item(0x50, user)))

    def serve(self):
        command, size, digest = b"", 0, hashlib.sha256()
        while True:
            kind, length = struct.unpack(">BxI", self.read(6))
            body = self.read(length)
            if kind == ASSOCIATE_RQ:
                self.accept(bytes(body))
            elif kind == RELEASE_RQ:
                return self.sock.sendall(pdu(RELEASE_RP, bytes(4)))
            elif kind != P_DATA:
                return None
            while kind == P_DATA and len(body) > 0:
                length, context, flags = struct.unpack_from(">IBB", body)
                value, body = body[6:4 + length], body[4 + length:]
                if flags & 1:
                    command += value
                else:
                    digest.update(value)
                    size += len(value)
                if flags == 2:
                    self.answer(context, parse_command(command), size, digest.hexdigest())
                    command, size, digest = b"", 0, hashlib.sha256()

    def answer(self, context, request, size, digest):
        instance = request[0x1000].rstrip(b"\0").decode()
        with open(self.log, "a") as log:
            log.write("%s %d %s\n" % (instance, size, digest))
        self.sock.sendall(pdu(P_DATA, pdv(context, command_set({
            0x0002: request[0x0002], 0x100: C_STORE_RQ | RESPONSE,
            0x120: struct.unpack("<H", request[0x110])[0], 0x800: NO_DATA_SET, 0x900: 0,
            0x1000: request[0x1000]}), command=True)))


def receive(port, log):
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            sock, _ = listener.accept()
            try:
                with sock:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    Pacs(sock, log).serve()
            except ConnectionError:
                pass


if sys.argv[1] == "send":
    send(int(sys.argv[2]), int(sys.argv[3]))
else:
    receive(int(sys.argv[2]), sys.argv[3])
