#!/usr/bin/env python3
"""dicomgw-stow and servers that stall, break off or never end; and files that are not
what they were (TAP on standard output).

    hostile_stow_breaks.py DRIVER PROGRAM

DRIVER is scu_driver, PROGRAM is dicomgw-stow.
"""
import socket
import threading

from dicom_peer import Gone
from http_peer import HttpConnection, as_json, dataset, serving
from stow_test import *

LARGE = bytes(20000000)
SPLIT = r'LOG\t2\trequest with 2 instances failed, they are sent one by one: '


def good(connection):
    serving()(connection)


def until_gone(send):
    """Send without end; Gone or an OSError ends it."""
    def behave(connection):
        connection.read_request()
        while True:
            send(connection)
    return behave


# ---------- connections ----------

def test_no_connection():
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        port = unused.getsockname()[1]
        compare('nobody listens', drive('http://127.0.0.1:%d' % port, [job()]),
                [failed(CONNECT, 0, 'could not connect: '), END])
    compare('a name that is none', drive('http://nowhere.invalid/', [job()]),
            [failed(CONNECT, 0, 'resolve'), END])
    with socket.socket() as full:
        full.bind(('127.0.0.1', 0))
        full.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        compare('no answer from the network', drive(
            'http://127.0.0.1:%d' % full.getsockname()[1], [job()], '-c', '1'),
            [failed(CONNECT, 0, '(within 1 s|[Tt]imed? ?out)'), END], quick=PATIENCE)
        for one in crowd:
            one.close()


def test_breaks():
    for name, behaviour in (('at once', lambda c: None), ('after the header', lambda c: c.read_head()),
                            ('instead of a response', lambda c: c.read_request())):
        run('closed %s' % name, [behaviour], [job()], [failed(ABORTED, 1, 'broke'), END])
        run('closed %s, of several: which one is it?' % name, [behaviour], [job(), job()],
            [SPLIT, failed(ABORTED, 1, 'broke'), END])

    def not_the_second(request):
        if '1.2.66' in request.uids:
            raise Gone()
        return 200, as_json(dataset(stored=request.uids))
    run('closed, but only with the bad one', [serving(not_the_second)],
        [job(), job(uid='1.2.66'), job()],
        [r'LOG\t2\t.*3 instances', ASSOCIATED, result(1), failed(ABORTED, 2, 'broke'), END])
    run('closed in the middle of an object', [lambda c: c.read_request(100000)], [job(LARGE)],
        [failed(ABORTED, 1), END])
    run('closed while idle', [lambda c: (c.respond(200, as_json(dataset(stored=c.read_request().uids)))),
                              good], [job(), 'wait', job(), 'wait', job()],
        [ASSOCIATED, result(1), result(2), result(3), END], '-l', '5000')

    def refuse_early(connection):
        connection.read_head()
        connection.respond(413, b'', Connection='close')
        connection.await_end()
    run('refused before it was sent', [refuse_early], [job(LARGE)],
        [ASSOCIATED, result(1, REFUSED, '0000', 'server answered 413'), END], quick=PATIENCE)

    def accept_early(connection):
        connection.read_head()
        connection.respond(200, as_json(dataset(stored=['1.2.66'])), Connection='close')
        connection.sock.shutdown(socket.SHUT_WR)
        connection.receive()
    run('success before it was sent is none', [accept_early], [job(LARGE, uid='1.2.66')],
        [failed('[35]', 1), END])


def test_broken_responses():
    head = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n'
    body = as_json(dataset(stored=['1.2.66'])).encode()
    for name, data, expected in (
            ('a body shorter than said', head % (len(body) + 1) + body, failed(ABORTED, 1)),
            ('a body that breaks off', head % len(body) + body[:-5], failed(ABORTED, 1)),
            ('half a chunk', b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n' + body,
             failed(ABORTED, 1)),
            ('chunks that are none', b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n' + body,
             failed('[35]', 1)),
            ('half a header', b'HTTP/1.1 200 OK\r\nContent-Le', failed('[35]', 1)),
            ('no HTTP', b'220 mail.example ESMTP\r\n', failed('[35]', 1)),
            ('HTTP/0.9', body, failed('[35]', 1)),
            ('status 0', b'HTTP/1.1 000 X\r\n\r\n', failed('[35]', 1)),
            ('status 999', b'HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n', failed(PROTOCOL, 1)),
            ('a length that is none', b'HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n' + body,
             failed('[35]', 1)),
            ('TLS', b'\x15\x03\x01\x00\x02\x02\x46', failed('[35]', 1)),
            ('zeroes', bytes(1000), failed('[35]', 1))):
        run('%s instead of a response' % name, [
            lambda c: (c.read_request(), c.send(data), c.sock.shutdown(socket.SHUT_WR), c.await_end())],
            [job(uid='1.2.66')], [expected, END], '-r', '2', quick=PATIENCE)
    for name, data in (('a body longer than said', head % len(body) + body + b'more'),
                       ('a body until the end', b'HTTP/1.0 200 OK\r\n\r\n' + body),
                       ('two interim responses', b'HTTP/1.1 102 X\r\n\r\nHTTP/1.1 103 X\r\nA: b\r\n\r\n' +
                        head % len(body) + body),
                       ('chunks and a trailer', b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
                        b'%x\r\n%s\r\n0\r\nChecksum: 1\r\n\r\n' % (len(body), body))):
        run('%s is a response' % name, [
            lambda c: (c.read_request(), c.send(data), c.sock.shutdown(socket.SHUT_WR), c.await_end())],
            [job(uid='1.2.66')], [ASSOCIATED, result(1), END])


def test_endless_responses():
    start = b'HTTP/1.1 200 OK\r\n'

    def begin(connection, data, rest):
        connection.read_request()
        connection.send(data)
        while True:
            connection.send(rest)
    for name, data, rest, expected in (
            ('header', start, b'X: ' + b'y' * 1000 + b'\r\n', [failed(PROTOCOL, 1, 'too long'), END]),
            ('header line', start + b'X: ', b'y' * 1000, [failed('[35]', 1), END]),
            ('interim responses', b'', b'HTTP/1.1 100 X\r\nA: b\r\n\r\n', [failed(PROTOCOL, 1, 'too long'), END]),
            ('body', start + b'\r\n', b' ' * 10000,
             [ASSOCIATED, result(1, DEFERRED, '0000', '.*too long'), END]),
            ('chunks', start + b'Transfer-Encoding: chunked\r\n\r\n', b'2\r\n  \r\n',
             [ASSOCIATED, result(1, DEFERRED, '0000', '.*too long'), END]),
            ('body of a refusal', b'HTTP/1.1 400 X\r\n\r\n', b' ' * 10000,
             [ASSOCIATED, result(1, REFUSED), END])):
        run('endless %s' % name, [lambda c: begin(c, data, rest)], [job()], expected,
            quick=PATIENCE * 3)


def test_stalls():
    run('no response', [answering(lambda c: None)], [job()],
        [failed(TIMEOUT, 1, 'did not respond within 1 s'), END], '-r', '1', quick=PATIENCE)
    run('no response to several', [answering(lambda c: None)], [job(), job()],
        [SPLIT + 'server did not respond', failed(TIMEOUT, 1, 'within 1 s'), END], '-r', '1',
        quick=PATIENCE + 3)

    def drip(connection):
        connection.read_request()
        for byte in b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 100:
            connection.send(bytes([byte]))
            time.sleep(0.1)
    run('a response byte by byte, too slowly', [drip], [job()],
        [failed(TIMEOUT, 1, 'did not respond within 1 s'), END], '-r', '1', quick=PATIENCE)

    enough = threading.Event()

    def never_read(connection):
        connection.read_head()
        enough.wait(20)
    run('the request is not taken', [never_read], [job(LARGE)],
        [failed(TIMEOUT, 1, 'too slow'), END], '-r', '1', quick=PATIENCE + 2)

    def sip(connection):
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while not enough.wait(0.3) and connection.sock.recv(1000):
            pass
    run('the request is taken by the sip', [sip], [job(LARGE)],
        [failed(TIMEOUT, 1, 'too slow'), END], '-r', '1', quick=PATIENCE + 2)
    enough.set()


# ---------- our own side ----------

def test_files():
    run('a file that is not there costs no request', [good], [job(write=False)],
        [result(1, FILE_MISSING, '0000', 'could not open file: No such file'), END], seen=[])
    run('a path that leaves the storage path', [good],
        [job(path='../../etc/passwd'), job(path='/etc/passwd'), job(path='a/..'), job(path='..')],
        [result(n, FILE_MISSING, '0000', 'path') for n in (1, 2, 3, 4)] + [END], seen=[])
    run('a file of another size', [good], [job(size=4), job()],
        [result(1, FILE_DAMAGED, '0000', 'size'), ASSOCIATED, result(2), END], seen=['POST 1'])
    for name, content in (('short.dcm', bytes(140)), ('text.dcm', b'x' * 1000)):
        with open(os.path.join(STORE.name, name), 'wb') as file:
            file.write(content)
    run('files that are not ours', [good], [job(path='short.dcm'), job(path='text.dcm'), job(path='.')],
        [result(n, FILE_DAMAGED) for n in (1, 2, 3)] + [END], seen=[])
    run('a small damaged file does not disturb the request', [good],
        [job(), job(damage=True), job()],
        [result(2, FILE_DAMAGED, '0000', 'SHA-256'), ASSOCIATED, result(1), result(3), END],
        seen=['POST 2'])
    received = []

    def count(connection):
        connection.read_head()
        connection.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        received.append(len(connection.buffer))
        while True:
            received[-1] += len(connection.receive())
    damaged = job(LARGE, damage=True)
    run('a large damaged file is not completed', [count, good], [damaged, job()],
        [result(1, FILE_DAMAGED, '0000', 'SHA-256'), ASSOCIATED, result(2), END])
    check('most of it was sent, not all', 0 < received[0] < len(content_of(damaged)), received)


def test_worker():
    run('what is left when the worker closes is left', [good], [job()], [ASSOCIATED, result(1), END])
    stopped = threading.Event()

    def slow(connection):
        request = connection.read_request()
        stopped.wait(20)
        connection.respond(200, as_json(dataset(stored=request.uids)))
        connection.await_end()
    peer = Peer(slow, speak=HttpConnection)
    driver = subprocess.Popen(
        [DRIVER, '-b', '1', '-u', 'http://127.0.0.1:%d' % peer.port, PROGRAM, '', '0', STORE.name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    driver.stdin.write(job() + '\n' + job() + '\n')
    driver.stdin.flush()
    deadline = time.monotonic() + 20
    while not peer.log and time.monotonic() < deadline:
        time.sleep(0.05)
    driver.stdin.write('recall\n')
    driver.stdin.close()
    stopped.set()
    heard = driver.stdout.read().splitlines()[1:]
    driver.wait()
    peer.close()
    check('a sender that is recalled ends the request under way, and no more',
          len(heard) == 3 and re.match(ASSOCIATED, heard[0]) and re.match(result(1), heard[1]) and
          heard[2] == END and peer.log[:1] == ['POST 1'], heard)


def test_memory():
    """A sparse object of more than 1 GB: no byte of it stays."""
    size = 1200 * 1024 * 1024
    line = job(uid='1.2.77').split('\t')
    path = os.path.join(STORE.name, line[0])
    with open(path, 'r+b') as file:
        begin = len(file.read())
        head = begin - int(line[4])
        file.truncate(head + size)
        file.seek(head)
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    line[4], line[5] = str(size), digest.hexdigest()
    seen = []

    def hash_it(connection):
        request_head = connection.read_head().decode()
        connection.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        left = int(re.search(r'content-length: (\d+)', request_head, re.I).group(1))
        seen.append(left)
        left -= len(connection.buffer)
        while left > 0:
            left -= len(connection.receive())
            seen.append(peak_memory())
        connection.respond(200, as_json(dataset(stored=['1.2.77'])))
        connection.await_end()

    def peak_memory():
        """Of the program under test, in KB: the only one of its kind below this process."""
        if not peak_memory.pid:
            for pid in filter(str.isdigit, os.listdir('/proc')):
                try:
                    if (os.readlink('/proc/%s/exe' % pid) == os.path.realpath(PROGRAM) and
                            STORE.name in open('/proc/%s/cmdline' % parent(pid)).read()):
                        peak_memory.pid = pid
                except OSError:
                    pass
        with open('/proc/%s/status' % peak_memory.pid) as status:
            return int(re.search(r'VmRSS:\s+(\d+) kB', status.read()).group(1))

    def parent(pid):
        with open('/proc/%s/stat' % pid) as stat:
            return stat.read().rsplit(') ', 1)[1].split()[1]
    peak_memory.pid = None
    run('an object of %d MB' % (size >> 20), [hash_it], ['\t'.join(line)],
        [ASSOCIATED, result(1), END], '-r', '60')
    check('memory does not grow with it', len(seen) > 100 and max(seen[2:]) - seen[1] < 20000,
          'KB: first %s, most %s' % (seen[1:2], max(seen[2:] or [0])))
    os.unlink(path)


run_all(globals())
