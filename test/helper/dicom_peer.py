"""Just enough of the DICOM upper layer (PS3.8) on a raw socket to misbehave with.

A test peer must be able to send what no library would, so everything here is
bytes.  Used by hostile_scu.py; Python's standard library only.
"""
import socket
import struct
import threading

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ = 1, 2, 3
P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = 4, 5, 6, 7

C_STORE_RSP, C_ECHO_RSP = 0x8001, 0x8030


class Gone(Exception):
    """The program under test has closed the connection."""


def pdu(kind, body):
    return struct.pack('>BBI', kind, 0, len(body)) + body


def item(kind, body):
    return struct.pack('>BBH', kind, 0, len(body)) + body


def pdv(context_id, control, data):
    return struct.pack('>IBB', len(data) + 2, context_id, control) + data


def reject(result, source, reason):
    return pdu(ASSOCIATE_RJ, bytes([0, result, source, reason]))


def element(tag, value):
    if len(value) % 2:
        value += b' '
    return struct.pack('<HHI', 0, tag, len(value)) + value


def response(message_id, status=0, field=C_STORE_RSP, comment=None, offending=None):
    """The command set of a response."""
    def us(number):
        return struct.pack('<H', number)
    body = element(0x0100, us(field)) + element(0x0120, us(message_id))
    body += element(0x0800, us(0x0101)) + element(0x0900, us(status))
    if offending is not None:
        body += element(0x0901, offending)
    if comment is not None:
        body += element(0x0902, comment)
    return element(0x0000, struct.pack('<I', len(body))) + body


class Association:
    """The acceptor's side of one connection."""

    def __init__(self, sock, log):
        self.sock = sock
        self.log = log  # what was seen, for the test to look at
        self.contexts = {}  # id -> (abstract syntax, transfer syntax)
        self.context_id = None  # of the last message
        self.message_id = None

    def send(self, data):
        self.sock.sendall(data)

    def read(self, count):
        data = b''
        while len(data) < count:
            try:
                more = self.sock.recv(count - len(data))
            except ConnectionResetError:
                more = b''
            if not more:
                raise Gone()
            data += more
        return data

    def read_pdu(self):
        kind, _, length = struct.unpack('>BBI', self.read(6))
        return kind, self.read(length)

    def read_request(self):
        """The A-ASSOCIATE-RQ; fills in the proposed contexts."""
        kind, body = self.read_pdu()
        assert kind == ASSOCIATE_RQ, kind
        at = 68
        while at < len(body):
            kind, _, length = struct.unpack_from('>BBH', body, at)
            if kind == 0x20:
                self.note_context(body[at + 4:at + 4 + length])
            at += 4 + length
        self.log.append('associate %d' % len(self.contexts))

    def note_context(self, body):
        uids, at = [], 4
        while at < len(body):
            _, _, length = struct.unpack_from('>BBH', body, at)
            uids.append(body[at + 4:at + 4 + length].rstrip(b'\0').decode())
            at += 4 + length
        assert len(uids) == 2, uids
        self.contexts[body[0]] = tuple(uids)

    def acceptance(self, max_pdu=16384, answer=lambda context: (0, context[1])):
        """An A-ASSOCIATE-AC; answer gives result and transfer syntax, or None for silence."""
        body = struct.pack('>HH', 1, 0) + b'PEER'.ljust(16) + b'DRIVER'.ljust(16) + bytes(32)
        body += item(0x10, b'1.2.840.10008.3.1.1.1')
        for context_id, context in self.contexts.items():
            answered = answer(context)
            if answered is not None:
                body += item(0x21, bytes([context_id, 0, answered[0], 0]) +
                             item(0x40, answered[1].encode()))
        body += item(0x50, item(0x51, struct.pack('>I', max_pdu)) +
                     item(0x52, b'1.2.3.4') + item(0x55, b'HOSTILE'))
        return pdu(ASSOCIATE_AC, body)

    def accept(self, **how):
        self.read_request()
        self.send(self.acceptance(**how))

    def read_message(self):
        """Command set and dataset of the next request; None when it was A-RELEASE-RQ."""
        parts = {1: b'', 0: b''}
        while True:
            kind, body = self.read_pdu()
            if kind == RELEASE_RQ:
                self.log.append('release')
                self.send(pdu(RELEASE_RP, bytes(4)))
                return None
            if kind == ABORT:
                self.log.append('abort')
                return None
            assert kind == P_DATA, kind
            length, self.context_id, control = struct.unpack_from('>IBB', body)
            assert length == len(body) - 4 and length % 2 == 0, length
            parts[control & 1] += body[6:]
            if control & 1 and control & 2:
                self.message_id = struct.unpack_from(
                    '<H', parts[1], parts[1].index(b'\x00\x00\x10\x01') + 8)[0]
                if parts[1][-2:] == b'\x01\x01' or b'\x00\x00\x00\x08\x02\x00\x00\x00\x01\x01' in parts[1]:
                    break
            elif control & 2:
                break
        self.log.append('message %d' % len(parts[0]))
        return parts[1], parts[0]

    def respond(self, status=0, message_id=None, context_id=None, **fields):
        command = response(message_id if message_id is not None else self.message_id,
                           status, **fields)
        self.send(pdu(P_DATA, pdv(context_id or self.context_id, 3, command)))

    def serve(self, **fields):
        """Be a good SCP until the end of the association."""
        try:
            while self.read_message() is not None:
                self.respond(**fields)
        except Gone:
            self.log.append('gone')

    def await_end(self):
        """What ends the connection, as seen in the log: abort, release or gone."""
        try:
            while self.read_message() is not None:
                pass
        except Gone:
            self.log.append('gone')
        except AssertionError:
            self.log.append('odd')


class Peer:
    """Listens; each connection is given to the next of the behaviours, the last one again."""

    def __init__(self, *behaviours, family=socket.AF_INET, tls=None):
        """tls: an ssl.SSLContext to speak TLS with."""
        self.tls = tls
        self.behaviours = list(behaviours)
        self.logs = []  # one a connection: they may overlap
        self.errors = []
        self.threads = []
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind(('::1' if family == socket.AF_INET6 else '127.0.0.1', 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self.run, daemon=True)
        self.acceptor.start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            behaviour = self.behaviours[0] if len(self.behaviours) == 1 else self.behaviours.pop(0)
            self.logs.append([])
            thread = threading.Thread(target=self.play, args=(sock, behaviour, self.logs[-1]),
                                      daemon=True)
            self.threads.append(thread)
            thread.start()

    @property
    def log(self):
        """What all connections have seen, one after the other."""
        return [seen for log in self.logs for seen in log]

    def play(self, sock, behaviour, log):
        try:
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
            behaviour(Association(sock, log))
        except (Gone, OSError):
            log.append('gone')
        except Exception as error:  # a mistake in the test itself
            self.errors.append(repr(error))
        finally:
            sock.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(timeout=5)
