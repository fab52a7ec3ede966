"""The DICOM upper layer as bytes on a socket, for tests of dicomgw-scp.

A polite library would not send what these tests have to send, so the PDUs
(PS3.8 9.3) and command sets (PS3.7 9.3) are put together here by hand, and
nothing stops a test from putting them together wrongly.  Driver starts the
program under test below the scripted receiver (scp_driver.c).
"""

import os
import queue
import resource
import socket
import struct
import subprocess
import threading
import time

VERIFICATION = "1.2.840.10008.1.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ = 0x01, 0x02, 0x03
P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = 0x04, 0x05, 0x06, 0x07

C_STORE_RQ, C_ECHO_RQ = 0x0001, 0x0030
WITH_DATA_SET, NO_DATA_SET = 0x0000, 0x0101


def item(kind, body):
    return struct.pack(">BxH", kind, len(body)) + body


def pdu(kind, body):
    return struct.pack(">BxI", kind, len(body)) + body


def associate_rq(contexts, called="DICOMGW", calling="TESTER", max_pdu=16384,
                 application_context=APPLICATION_CONTEXT, version=1, user_items=b""):
    """contexts: list of (id, abstract syntax, [transfer syntaxes])"""
    body = struct.pack(">HH", version, 0)
    body += called.encode().ljust(16)[:16] + calling.encode().ljust(16)[:16] + bytes(32)
    body += item(0x10, application_context.encode())
    for context_id, abstract, transfers in contexts:
        inner = struct.pack(">Bxxx", context_id) + item(0x30, abstract.encode())
        inner += b"".join(item(0x40, t.encode()) for t in transfers)
        body += item(0x20, inner)
    user = item(0x51, struct.pack(">I", max_pdu)) + item(0x52, b"1.2.3.4") + item(0x55, b"WIRE")
    user += user_items
    return pdu(ASSOCIATE_RQ, body + item(0x50, user))


def role_selection(sop_class, scu, scp):
    uid = sop_class.encode()
    return item(0x54, struct.pack(">H", len(uid)) + uid + bytes([scu, scp]))


def user_identity(kind, primary, secondary=b"", response=0):
    return item(0x58, struct.pack(">BBH", kind, response, len(primary)) + primary +
                struct.pack(">H", len(secondary)) + secondary)


def pdv(context_id, data, command=False, last=True):
    flags = (1 if command else 0) | (2 if last else 0)
    return struct.pack(">IBB", len(data) + 2, context_id, flags) + data


def element(number, value):
    if isinstance(value, int):
        value = struct.pack("<H", value)
    elif isinstance(value, str):
        value = value.encode()
        value += bytes(len(value) % 2)
    return struct.pack("<HHI", 0, number, len(value)) + value


def command_set(elements):
    body = b"".join(element(n, v) for n, v in sorted(elements.items()))
    return element(0, struct.pack("<I", len(body))) + body


def store_rq(sop_class=CT_IMAGE, sop_instance="1.2.3", message_id=1, data_set=WITH_DATA_SET):
    elements = {0x100: C_STORE_RQ, 0x110: message_id, 0x700: 0, 0x800: data_set}
    if sop_class is not None:
        elements[0x0002] = sop_class
    if sop_instance is not None:
        elements[0x1000] = sop_instance
    return command_set(elements)


def echo_rq(message_id=1):
    return command_set({0x0002: VERIFICATION, 0x100: C_ECHO_RQ, 0x110: message_id,
                        0x800: NO_DATA_SET})


def parse_command(data):
    elements, pos = {}, 0
    while pos < len(data):
        _, number, length = struct.unpack_from("<HHI", data, pos)
        elements[number] = data[pos + 8:pos + 8 + length]
        pos += 8 + length
    return elements


class Peer:
    """One connection to the program."""

    def __init__(self, port, timeout=10, source="127.0.0.1", tls=None):
        """tls: an ssl.SSLContext to speak TLS with."""
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=timeout,
                                             source_address=(source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock)
        self.max_pdu = 16384
        self.user_items = {}  # of the A-ASSOCIATE-AC: type -> [value]
        self.rejected = None  # result, source, reason of the A-ASSOCIATE-RJ

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def receive(self):
        """The next PDU: (type, body); (None, b"") when the connection has ended."""
        head = self._exactly(6)
        if head is None:
            return None, b""
        kind, length = struct.unpack(">BxI", head)
        return kind, self._exactly(length) or b""

    def _exactly(self, length):
        data = b""
        while len(data) < length:
            try:
                piece = self.sock.recv(length - len(data))
            except ConnectionResetError:
                return None
            if not piece:
                return None
            data += piece
        return data

    def associate(self, contexts=None, **options):
        """Returns {context id: (result, transfer syntax)}, or None if it was not accepted."""
        self.send(associate_rq(contexts or [(1, CT_IMAGE, [EXPLICIT_LE])], **options))
        kind, body = self.receive()
        if kind == ASSOCIATE_RJ:
            self.rejected = tuple(body[1:4])
        if kind != ASSOCIATE_AC:
            return None
        results, pos = {}, 68
        while pos < len(body):
            code, length = struct.unpack_from(">BxH", body, pos)
            inner = body[pos + 4:pos + 4 + length]
            if code == 0x21:
                transfer = inner[8:8 + struct.unpack_from(">H", inner, 6)[0]]
                results[inner[0]] = (inner[2], transfer.decode())
            elif code == 0x50:
                self._note_user_items(inner)
            pos += 4 + length
        return results

    def _note_user_items(self, items):
        pos = 0
        while pos < len(items):
            code, length = struct.unpack_from(">BxH", items, pos)
            self.user_items.setdefault(code, []).append(items[pos + 4:pos + 4 + length])
            pos += 4 + length
        self.max_pdu = struct.unpack(">I", self.user_items[0x51][0])[0]

    def send_command(self, command, context_id=1):
        self.send(pdu(P_DATA, pdv(context_id, command, command=True)))

    def send_data(self, data, context_id=1, last=True):
        chunk = self.max_pdu - 6
        for pos in range(0, max(len(data), 1), chunk):
            ends = last and pos + chunk >= len(data)
            self.send(pdu(P_DATA, pdv(context_id, data[pos:pos + chunk], last=ends)))

    def response(self):
        """(status, error comment) of the next response, or the type of the PDU that came instead."""
        kind, body = self.receive()
        if kind != P_DATA:
            return kind
        elements = parse_command(body[6:])
        return (struct.unpack("<H", elements[0x900])[0],
                elements.get(0x902, b"").decode().rstrip())

    def store(self, data, context_id=1, **options):
        self.send_command(store_rq(**options), context_id)
        self.send_data(data, context_id)
        return self.response()

    def release(self):
        self.send(pdu(RELEASE_RQ, bytes(4)))
        return self.receive()[0] == RELEASE_RP


class Driver:
    """The program under test, below scp_driver."""

    def __init__(self, driver, program, descriptors=None, **settings):
        """descriptors: the limit of open files that both are to have."""
        def limit():
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.lines, self.queue = [], queue.Queue()
        arguments = ["%s=%s" % s for s in settings.items()]
        self.process = subprocess.Popen([driver] + arguments + [program], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        preexec_fn=limit)
        threading.Thread(target=self._read, daemon=True).start()
        self.expect("listener 1")

    def _read(self):
        for line in self.process.stdout:
            self.queue.put(line.rstrip("\n"))

    def expect(self, start, timeout=15):
        """The next line that starts so, forgetting those before it; None if none comes."""
        end = time.monotonic() + timeout
        while True:
            try:
                line = self.queue.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                return None
            self.lines.append(line)
            if line.startswith(start):
                return line

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def set(self, **settings):
        for name_value in settings.items():
            self.tell("%s=%s" % name_value)
        self.tell("config")
        return self.expect("listener ")

    def forget(self):
        """What was said so far is of no interest."""
        while not self.queue.empty():
            self.lines.append(self.queue.get())

    def quit(self):
        self.process.stdin.close()
        self.expect("exit")
        return self.process.wait(timeout=15)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def files_below(path):
    return [os.path.join(d, f) for d, _, names in os.walk(path) for f in names]
