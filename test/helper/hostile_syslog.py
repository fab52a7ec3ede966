#!/usr/bin/env python3
"""dicomgw-syslog and audit repositories that are none, break off, or are somebody else (TAP output).

    hostile_syslog.py PROGRAM

The worker's side of the audit channel is in here; numbers are those of message.h.
"""
import os
import re
import socket
import ssl
import struct
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
from helper_channel import HELLO, TYPES, check, converse, done, frame, text  # noqa: E402
from pki import Pki  # noqa: E402
from syslog_receiver import Malformed, read_messages, server_context  # noqa: E402

PROGRAM = sys.argv[-1]
OFF, REQUIRE, VERIFY_CA, VERIFY_FULL = range(4)
FOLDER = tempfile.TemporaryDirectory(prefix='dicomgw-syslog-')
PKI = Pki(os.path.join(FOLDER.name, 'pki'))


def repository(port, tls=OFF, needs_close=0, ca='', certificate='', key='', server_name='', timeout=3):
    return frame('AUDIT_REPOSITORY', text(b'127.0.0.1') + struct.pack('=HBBII', port, tls, needs_close, timeout, timeout) +
                 b''.join(text(part.encode()) for part in (ca, certificate, key, server_name)))


def record(position, xml=b'<AuditMessage/>'):
    return frame('AUDIT_RECORD', struct.pack('=QB', position, 85) + text(b'2026-11-25T14:00:00.000000Z') + text(xml))


def run_program(told, close=True):
    """Its last message, and the status it exits with."""
    messages, status, errors = converse(PROGRAM, told, close)
    said = [m for m in messages if m[0] in (TYPES['AUDIT_DELIVERED'], TYPES['AUDIT_FAILED'])]
    if 'Sanitizer' in errors or 'runtime error' in errors or status not in (0, 1) or len(said) > 1:
        return 'BROKEN ' + errors
    if not said:
        return 'nothing, status %d' % status
    if said[0][0] == TYPES['AUDIT_DELIVERED']:
        return 'delivered %d' % struct.unpack('=Q', said[0][1])
    return 'failed: ' + said[0][1][4:].decode()


class Server:
    """Accepts one connection and does this with it."""

    def __init__(self, behave, context=None):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.taken = []
        self.error = None
        self.thread = threading.Thread(target=self.serve, args=(behave, context))
        self.thread.start()

    def serve(self, behave, context):
        try:
            self.listener.settimeout(30)
            connection = self.listener.accept()[0]
            connection.settimeout(30)
            if context:
                connection = context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False)
            with connection:
                behave(self, connection)
        except (OSError, Malformed) as error:
            self.error = error

    def end(self):
        self.thread.join()
        self.listener.close()


def proper(server, connection):
    read_messages(connection, server.taken.append)


def run(name, behave, expected, records=None, context=None, seen=None, **told):
    server = Server(behave, context)
    answer = run_program(HELLO + repository(server.port, **told) + b''.join(records or [record(1), record(2)]))
    server.end()
    check(name, re.match(expected, answer) and (seen is None or seen(server)), '%s; server: %s, %d taken' % (
        answer, server.error, len(server.taken)))


def reset(server, connection):
    connection.recv(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def drain(connection):
    while connection.recv(65536):
        pass


def talk(words):
    def behave(server, connection):
        connection.sendall(words)
        drain(connection)
    return behave


def stall(server, connection):
    server.listener.settimeout(20)
    connection.recv(1)
    try:
        drain(connection)
        threading.Event().wait(6)  # longer than the program's patience
    except OSError:
        pass


def mute_end(server, connection):
    """Reads all, then an end by TCP alone."""
    drain(connection)
    socket.socket(fileno=connection.detach()).close()


def unread(last_word):
    """An end of its own, as of one that is shut down, before what is sent is read; last_word: with close_notify."""
    def behave(server, connection):
        if last_word:
            connection.setblocking(False)
            try:
                connection.unwrap()
            except ssl.SSLError:
                pass
        connection.close()
    return behave


def test_plain():
    run('messages arrive as they are', proper, 'delivered 2$',
        seen=lambda s: len(s.taken) == 2 and s.taken[0].endswith(b' - \xef\xbb\xbf<AuditMessage/>') and s.taken[0].startswith(
            b'<85>1 2026-11-25T14:00:00.000000Z '))
    big = [record(n, b'<x>' + b'y' * 60000 + b'</x>') for n in (1, 2)]
    run('large ones, too', proper, 'delivered 2$', big, seen=lambda s: [len(t) > 60000 for t in s.taken] == [True, True])
    run('a reset', reset, 'failed: ')
    run('it talks', talk(b'220 mail.example ESMTP\r\n'), 'failed: it sent data')
    run('it talks without end', talk(b'A' * 1000000), 'failed: ')
    run('it does not end', stall, 'failed: it did not confirm the end of the connection: .*timed out', timeout=2)
    listener = socket.create_server(('127.0.0.1', 0))
    port = listener.getsockname()[1]
    listener.close()
    answer = run_program(HELLO + repository(port) + record(1))
    check('nobody listens', 'refused' in answer and answer.startswith('failed'), answer)


def test_tls():
    PKI.authority('ca')
    PKI.authority('other')
    for name, ca in (('here', 'ca'), ('client', 'ca'), ('stranger', 'other')):
        PKI.certificate(name, ca, '/CN=' + name, names='DNS:repository.example,IP:127.0.0.1')
    path = PKI.path
    ours = {'ca': path('ca.pem'), 'certificate': path('client.pem'), 'key': path('client.key')}

    def context(name='here', client_ca='ca'):
        return server_context(path(name + '.pem'), path(name + '.key'), client_ca and path(client_ca + '.pem'))
    both = (lambda s: len(s.taken) == 2)
    nothing = (lambda s: not s.taken)
    for needs_close in (0, 1):
        run('TLS with both certificates (%d)' % needs_close, proper, 'delivered 2$', context=context(), seen=both, tls=VERIFY_FULL,
            needs_close=needs_close, **ours)
    run('another authority', proper, 'failed: .*certificate', context=context('stranger'), seen=nothing, tls=VERIFY_FULL, **ours)
    run('another name', proper, 'failed: .*made out to', context=context(), seen=nothing, tls=VERIFY_FULL, server_name='other.example',
        **ours)
    run('it does not want us', proper, 'failed: ', context=context(client_ca='other'), seen=nothing, tls=VERIFY_FULL, **ours)
    run('no certificate of ours', proper, 'failed: ', context=context(), seen=nothing, tls=VERIFY_FULL, ca=ours['ca'])
    run('an end by TCP will do', mute_end, 'delivered 2$', context=context(), tls=VERIFY_FULL, **ours)
    run('or will not', mute_end, 'failed: ', context=context(), tls=VERIFY_FULL, needs_close=1, **ours)
    many = [record(n) for n in range(1, 400)]
    for needs_close in (0, 1):
        for last_word in (False, True):
            for name, records in (('one message', [record(1)]), ('many', many)):
                # how soon it comes is luck: it must not matter
                for _ in range(5):
                    run('an end of its own before %s can be read (%d, %d)' % (name, needs_close, last_word), unread(last_word), 'failed: ',
                        records, context=context(), tls=VERIFY_FULL, needs_close=needs_close, **ours)
    run('why an end by TCP will not do', mute_end, 'failed: .*without a close_notify', context=context(), tls=VERIFY_FULL, needs_close=1,
        **ours)
    run('no TLS at all', talk(b'\x16\x03\x01' + b'\xff' * 5000), 'failed: no TLS connection', tls=VERIFY_FULL, **ours)


def test_worker():
    """The program is as strict with its worker."""
    for name, told in (('no HELLO', record(1)), ('another message first', HELLO + record(1)),
                       ('an unknown type', HELLO + struct.pack('=IHH', 0, 999, 0)),
                       ('a length beyond all', HELLO + struct.pack('=IHH', 0xffffffff, TYPES['AUDIT_RECORD'], 0)),
                       ('a cut repository', HELLO + frame('AUDIT_REPOSITORY', b'\xff' * 7))):
        check(name, run_program(told).startswith('nothing'))
    answers = set()
    for position in range(0, 40, 3):
        whole = HELLO + repository(1)
        cut = whole[:len(HELLO) + position]
        answers.add(run_program(cut))
    check('a repository cut anywhere', answers <= {'nothing, status 0', 'nothing, status 1'}, answers)


test_plain()
test_tls()
test_worker()
done()
