#!/usr/bin/env python3
"""dicomgw-scu against peers that refuse, stall, lie or break off (TAP on standard output).

    hostile_scu.py DRIVER PROGRAM

DRIVER is scu_driver, PROGRAM is dicomgw-scu.  Each test is a peer's behaviour,
a script for the driver, and what the driver must have heard in the end.
"""
import os
import socket
import time

from dicom_peer import (ABORT, ASSOCIATE_AC, P_DATA, RELEASE_RP, RELEASE_RQ, Peer, pdu, pdv, reject, response)
from scu_test import *

# ---------- association negotiation ----------

def test_rejections():
    for code, words in (((1, 1, 7), r'called AE title not recognized \(permanent\)'),
                        ((1, 1, 3), r'calling AE title not recognized \(permanent\)'),
                        ((2, 3, 2), r'local limit exceeded \(transient\)'),
                        ((2, 3, 1), r'temporary congestion \(transient\)'),
                        ((9, 8, 77), r'unknown reason 77 from source 8 \(unknown result 9\)')):
        run('rejected with %d,%d,%d' % code, [saying(reject(*code))], [job(), job()],
            [failed(REJECTED, 0, words, '%d,%d,%d' % code), END])


def test_bad_answers():
    run('A-ABORT instead of an answer', [saying(pdu(ABORT, bytes(4)))], [job()],
        [failed(ABORTED, 0, 'aborted'), END])
    run('connection closed instead of an answer', [lambda a: a.read_request()], [job()],
        [failed(ABORTED, 0, 'closed|reset'), END])
    run('connection closed at once', [lambda a: None], [job()], [failed(ABORTED), END])
    for name, data in (('HTTP', b'HTTP/1.1 400 Bad Request\r\n\r\n'), ('zeroes', bytes(100)),
                       ('P-DATA-TF', pdu(P_DATA, pdv(1, 3, response(1)))),
                       ('A-RELEASE-RQ', pdu(RELEASE_RQ, bytes(4))),
                       ('a truncated A-ASSOCIATE-AC', pdu(ASSOCIATE_AC, b'\0\1')),
                       ('an A-ASSOCIATE-AC of wrong lengths',
                        pdu(ASSOCIATE_AC, b'\0\1' + bytes(66) + b'\x21\0\xff\xff' + bytes(9)))):
        run('%s instead of an answer' % name, [saying(data)], [job()],
            [failed(PROTOCOL), END], '-a', '2', quick=PATIENCE + 2)
    run('an A-ASSOCIATE-AC of 4 GB', [saying(b'\2\0\xff\xff\xff\xf0' + bytes(1000))], [job()],
        [failed('[45]'), END], '-a', '1', quick=PATIENCE + 2)


def test_silence():
    run('no answer to the association request', [lambda a: (a.read_request(), a.await_end())], [job()],
        [failed(TIMEOUT, 0, 'within 1 s'), END], '-a', '1', quick=PATIENCE)

    def dripping(association):
        association.read_request()
        drip(lambda a: a.acceptance())(association)
    run('an answer byte by byte, too slowly', [dripping], [job()],
        [failed(TIMEOUT, 0, 'within 1 s'), END], '-a', '1', quick=PATIENCE)


def test_contexts():
    def answer(context):
        if context[0] == MR:
            return 3, context[1]
        return (0, context[1]) if context[1] == IMPLICIT else (0, IMPLICIT)

    def behave(association):
        association.accept(answer=answer)
        association.serve()
    run('contexts refused or accepted otherwise', [behave],
        [job(), job(sop_class=MR), job(transfer_syntax=EXPLICIT), job()],
        [OPEN, result(1), result(2, NO_CONTEXT, '0000', '.*%s.*%s: abstract syntax' % (MR, IMPLICIT)),
         result(3, NO_CONTEXT, '0000', '.*accepted with transfer syntax "%s"' % IMPLICIT),
         result(4), END], seen=['associate 3', 'message 18', 'message 18', 'release'])

    def silent(association):
        association.accept(answer=lambda context: None)
        association.serve()
    run('no answer for a context', [silent], [job()],
        [OPEN, result(1, NO_CONTEXT, '0000', '.*no answer'), END])
    run('what is no UID is not proposed', [good], [job(sop_class='1.2 3'), job()],
        [result(1, NO_CONTEXT, '0000', '.*not a UID'), OPEN, result(2), END])
    run('a new pair opens an association for old and new', [good],
        [job(), 'wait', job(sop_class=MR), 'wait', job(), 'wait'],
        [OPEN, result(1), r'ASSOCIATED\t2', result(2), result(3), END], '-l', '2000')
    many = [job(sop_class='1.2.3.%d' % number) for number in range(200)]
    peer = Peer(good)
    heard = drive(peer.port, many, '-w', '256')
    peer.close()
    kinds = [fields[0] for fields in heard]
    check('more pairs than contexts: few associations for all of them',
          [fields[1:4] for fields in heard if fields[0] == 'RESULT'] ==
          [[str(n + 1), RESPONSE, '0000'] for n in range(200)] and
          kinds.count('ASSOCIATED') < 10 and kinds[-1] == 'EXIT', drive.output)


def test_max_pdu():
    data = bytes(range(256)) * 40
    for size in (14, 15, 23, 24, 25, 100, 16383, 0, 0x7fffffff):
        def behave(association, size=size):
            association.accept(max_pdu=size)
            _, received = association.read_message()
            association.log.append('identical' if received == data else 'different')
            association.respond()
            association.await_end()
        run('peer takes PDUs of %d' % size, [behave], [job(data)], [OPEN, result(1), END],
            seen=['associate 1', 'message %d' % len(data), 'identical', 'release'])
    run('peer takes no PDU that could hold data', [lambda a: (a.accept(max_pdu=9), a.await_end())],
        [job()], [failed(PROTOCOL, 0, 'maximum PDU length of 9'), END])


# ---------- responses ----------

def test_statuses():
    for status in (0x0000, 0xB000, 0xB007, 0xA700, 0xA900, 0xC123, 0x0110, 0x0122, 0xFF00):
        run('status %04X' % status, [answering(status=status, comment=b'as it is')], [job()],
            [OPEN, result(1, RESPONSE, '%04X' % status, 'as it is\t'), END])
    run('offending elements are named', [answering(status=0xA900, comment=b'no',
                                                   offending=b'\x10\0\x20\0\x08\0\x18\0')],
        [job()], [OPEN, result(1, RESPONSE, 'A900',
                               r'no\t\(0010,0020\),\(0008,0018\)\t'), END])
    run('a comment in no character set', [answering(status=0xC000, comment=b'\xff\x00\nx')],
        [job()], [OPEN, result(1, RESPONSE, 'C000', r'\?\? x\t'), END])


def test_bad_responses():
    cases = {
        'another message ID': lambda a: a.respond(message_id=a.message_id + 1),
        'another command': lambda a: a.respond(field=0x8030),
        'a request': lambda a: a.respond(field=0x0001),
        'another presentation context': lambda a: a.respond(context_id=3),
        'a dataset': lambda a: a.send(pdu(P_DATA, pdv(a.context_id, 2, bytes(20)))),
        'half a command set': lambda a: a.send(pdu(P_DATA, pdv(1, 3, response(1)[:30]))),
        'an empty command set': lambda a: a.send(pdu(P_DATA, pdv(1, 3, b''))),
        'no status': lambda a: a.send(pdu(P_DATA, pdv(1, 3, response(1)[:-10]))),
        'lengths beyond the end': lambda a: a.send(
            pdu(P_DATA, pdv(1, 3, b'\0\0\0\1\xff\xff\xff\xff\1\x80'))),
        'a PDV longer than its PDU': lambda a: a.send(pdu(P_DATA, b'\0\0\xff\xff\1\3' + bytes(9))),
        'a PDU longer than agreed': lambda a: a.send(pdu(P_DATA, bytes(200000))),
        'an unknown PDU': lambda a: a.send(pdu(0x77, bytes(10))),
        'a second A-ASSOCIATE-AC': lambda a: a.send(a.acceptance()),
        'a command set without end': lambda a: [
            a.send(pdu(P_DATA, pdv(1, 1, bytes(8000)))) for _ in range(10)],
    }
    for name, action in cases.items():
        run('%s instead of the response' % name, [after_request(action)], [job(), job()],
            [OPEN, failed(PROTOCOL, 1), END], '-r', '2', quick=PATIENCE + 2)


def test_fragmented_response():
    def behave(association):
        association.accept()
        association.read_message()
        command = response(association.message_id, comment=b'in pieces')
        pieces = [command[at:at + 2] for at in range(0, len(command), 2)]
        for piece in pieces[:20]:
            association.send(pdu(P_DATA, pdv(1, 1, piece)))
        association.send(pdu(P_DATA, b''.join(pdv(1, 1, piece) for piece in pieces[20:-1]) +
                             pdv(1, 3, pieces[-1])))
        association.await_end()
    run('a response in many pieces', [behave], [job()],
        [OPEN, result(1, comment='in pieces'), END])


def test_breaks():
    large = bytes(8 * 1024 * 1024)

    def part_of_object(association):
        association.accept(max_pdu=0)
        association.read(100000)

    def abort_midway(association):
        part_of_object(association)
        association.send(pdu(ABORT, bytes(4)))

    def stall_midway(association):
        part_of_object(association)
        time.sleep(4)
    run('A-ABORT in the middle of an object', [abort_midway], [job(large)],
        [OPEN, failed(ABORTED, 1), END])
    run('closed in the middle of an object', [part_of_object], [job(large)],
        [OPEN, failed(ABORTED, 1), END])
    run('stalled in the middle of an object', [stall_midway], [job(large)],
        [OPEN, failed(TIMEOUT, 1, 'too slow'), END], '-r', '1', quick=PATIENCE + 2)
    run('A-ABORT instead of the response', [after_request(lambda a: a.send(pdu(ABORT, bytes(4))))],
        [job(), job()], [OPEN, failed(ABORTED, 1, 'peer aborted'), END])
    run('closed instead of the response', [lambda a: (a.accept(), a.read_message())],
        [job()], [OPEN, failed(ABORTED, 1, 'closed'), END])
    run('no response', [after_request(lambda a: None)], [job()],
        [OPEN, failed(TIMEOUT, 1, 'within 1 s'), END], '-r', '1', quick=PATIENCE)
    run('a response byte by byte, too slowly',
        [after_request(drip(lambda a: pdu(P_DATA, pdv(1, 3, response(1)))))],
        [job()], [OPEN, failed(TIMEOUT, 1, 'within 1 s'), END], '-r', '1', quick=PATIENCE)


def test_peer_releases():
    def release(association):
        association.send(pdu(RELEASE_RQ, bytes(4)))
        association.log.append('answer %d' % association.read_pdu()[0])
    run('A-RELEASE-RQ instead of the response, once', [after_request(release), good],
        [job(), job()], [OPEN, OPEN, result(1), result(2), END],
        seen=['associate 1', 'message 18', 'answer 6', 'gone', 'associate 1', 'message 18',
              'message 18', 'release'])
    run('A-RELEASE-RQ instead of every response', [after_request(release)], [job()],
        [OPEN, OPEN, failed(ABORTED, 1, 'again'), END])

    def one_each(ending):
        def behave(association):
            association.accept()
            association.read_message()
            association.respond()
            ending(association)
        return behave
    for name, ending in (('released', release), ('closed', lambda a: None),
                         ('aborted', lambda a: a.send(pdu(ABORT, bytes(4)))),
                         ('spoiled', lambda a: a.respond())):
        run('%s while idle' % name, [one_each(ending)],
            [line for _ in range(3) for line in [job(), 'wait'] + (
                ['log'] if name != 'released' else [])],
            [line for n in (1, 2, 3) for line in [OPEN, result(n)] + (
                [r'LOG\t1'] if name != 'released' else [])] + [END], '-l', '5000')


def test_releasing():
    def cross(association):
        association.accept()
        association.read_message()
        association.respond()
        kinds = [association.read_pdu()[0]]
        association.send(pdu(RELEASE_RQ, bytes(4)))
        kinds.append(association.read_pdu()[0])
        association.send(pdu(RELEASE_RP, bytes(4)))
        association.log.append(kinds)
    run('both sides release at once', [cross], [job()], [OPEN, result(1), END], quick=PATIENCE,
        seen=['associate 1', 'message 18', [RELEASE_RQ, RELEASE_RP]])

    def deaf(association):
        association.accept()
        association.read_message()
        association.respond()
        while association.sock.recv(1000):
            pass
    run('our A-RELEASE-RQ is not answered', [deaf], [job()], [OPEN, result(1), END],
        quick=PATIENCE + 5)


# ---------- the worker's side ----------

def test_files():
    run('a file that is not there costs no association', [good], [job(write=False)],
        [result(1, FILE_MISSING, '0000', 'could not open file: No such file'), END], seen=[])
    run('a path that leaves the storage path', [good],
        [job(path='../../etc/passwd'), job(path='/etc/passwd'), job(path='a/..')],
        [result(n, FILE_MISSING, '0000', 'path') for n in (1, 2, 3)] + [END], seen=[])
    run('a file of another size', [good], [job(size=4), job()],
        [result(1, FILE_DAMAGED, '0000', 'size'), OPEN, result(2), END])
    with open(os.path.join(STORE.name, 'short.dcm'), 'wb') as file:
        file.write(bytes(140))
    with open(os.path.join(STORE.name, 'text.dcm'), 'wb') as file:
        file.write(b'x' * 1000)
    run('files that are not ours', [good],
        [job(write=False, name='short.dcm'), job(write=False, name='text.dcm'),
         job(write=False, path='.')],
        [result(n, FILE_DAMAGED) for n in (1, 2, 3)] + [END])
    run('a small damaged file does not disturb the association', [good],
        [job(), job(damage=True), job()],
        [OPEN, result(1), result(2, FILE_DAMAGED, '0000', 'SHA-256'), result(3), END],
        seen=['associate 1', 'message 18', 'message 18', 'release'])
    run('a large damaged file is not completed', [good],
        [job(), job(bytes(3000000), damage=True), job()],
        [OPEN, result(1), result(2, FILE_DAMAGED, '0000', 'SHA-256'), OPEN, result(3), END],
        seen=['associate 1', 'message 18', 'abort', 'associate 1', 'message 18', 'release'])

    def keep(association):
        association.accept()
        _, received = association.read_message()
        association.log.append(received)
        association.respond()
        association.await_end()
    run('an odd dataset gets one pad byte', [keep], [job(b'abc')], [OPEN, result(1), END],
        seen=['associate 1', 'message 4', b'abc\0', 'release'])
    run('an empty dataset', [keep], [job(b'')], [OPEN, result(1), END],
        seen=['associate 1', 'message 0', b'', 'release'])


def test_linger():
    run('released when nothing waits', [good], [job(), 'wait', 'sleep 500', job(), 'wait'],
        [OPEN, result(1), OPEN, result(2), END], '-l', '50')
    run('kept while it may be needed', [good], [job(), 'wait', 'sleep 200', job(), 'wait'],
        [OPEN, result(1), result(2), END], '-l', '5000',
        seen=['associate 1', 'message 18', 'message 18', 'release'])


def test_connect():
    idle = socket.socket()
    idle.bind(('127.0.0.1', 0))
    compare('nobody listens', drive(idle.getsockname()[1], [job()]),
            [failed(CONNECT, 0, 'Connection refused'), END])
    idle.listen(0)
    full = [socket.socket() for _ in range(4)]
    for sock in full:
        sock.setblocking(False)
        sock.connect_ex(idle.getsockname())
    compare('nobody accepts', drive(idle.getsockname()[1], [job()], '-c', '1', '-a', '1'),
            [failed('[14]'), END], quick=PATIENCE)
    compare('no such host', drive(104, [job()], '-c', '2', host='no-such-host.invalid'),
            [failed(CONNECT, 0, 'could not resolve host name'), END], quick=PATIENCE + 2)
    try:
        run('a peer with an IPv6 address', [good], [job()], [OPEN, result(1), END],
            family=socket.AF_INET6)
    except OSError:
        check('a peer with an IPv6 address # skip no IPv6 here', True)


def test_echo():
    def echoing(**fields):
        return answering(field=0x8030, **fields)
    run('echo', [echoing()], ['echo'], ['ECHO\t1\t0000\t16384\t1.2.3.4 HOSTILE\t\t1\t\t\t\t', END],
        seen=['associate 1', 'message 0', 'release'])
    run('echo answered with a failure', [echoing(status=0x0122)], ['echo'],
        ['ECHO\t0\t0122\t16384\t1.2.3.4 HOSTILE\tpeer answered C-ECHO with status 0122\t1\t', END])
    run('echo rejected', [saying(reject(1, 1, 7))], ['echo'],
        ['ECHO\t0\t0000\t0\t\t.*called AE title not recognized [(]permanent[)]\t0\t', END])
    run('echo not accepted', [lambda a: (a.accept(answer=lambda c: (3, c[1])), a.await_end())],
        ['echo'], ['ECHO\t0\t0000\t16384\t.*abstract syntax not supported', END])
    run('echo not answered', [after_request(lambda a: None)], ['echo'],
        ['ECHO\t0\t0000\t16384\t.*within 1 s', END], '-r', '1', quick=PATIENCE)
    run('an echo among jobs is refused', [good], [job(), 'wait', 'echo'],
        [OPEN, result(1), r'LOG\t3\t.*ECHO', 'EXIT\t1'], '-l', '5000')


run_tests(globals())
