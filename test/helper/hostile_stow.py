#!/usr/bin/env python3
"""dicomgw-stow and what servers answer: statuses, bodies, lists (TAP on standard output).

    hostile_stow.py DRIVER PROGRAM

DRIVER is scu_driver, PROGRAM is dicomgw-stow.
"""
import base64
import re

from http_peer import JSON, XML, always, as_json, as_xml, dataset, serving
from stow_test import *

UNAUTHORIZED = 'server answered 401 Unauthorized'


# ---------- requests ----------

def test_request():
    requests = []

    def keep(request):
        requests.append(request)
        return 200, as_json(dataset(stored=request.uids))
    jobs = [job(bytes(range(256)) * 9), job(b'\r\n--dicomgw-\r\n\r\n--'), job(b'odd')]
    run('several instances in a request', [serving(keep)], jobs,
        [ASSOCIATED, result(1), result(2), result(3), END], seen=['POST 3'])
    request = requests[0]
    check('a part is a stored file, byte for byte',
          [data for _, data in request.parts] == [content_of(line) for line in jobs])
    check('what the parts are is said', all(
        head == 'Content-Type: application/dicom' for head, _ in request.parts))
    check('and what the request is', re.fullmatch(
        r'multipart/related; type="application/dicom"; boundary=dicomgw-[0-9a-f]{32}',
        request.fields['content-type']), request.fields)
    check('and its length', int(request.fields['content-length']) == len(request.body) and
          'transfer-encoding' not in request.fields)
    check('it goes to /studies', (request.method, request.target) == ('POST', '/dicom-web/studies'))
    check('and asks for DICOM JSON', request.fields['accept'].startswith(JSON))
    check('no credentials, no cookies', not {'authorization', 'cookie'} & set(request.fields))
    first = request.boundary
    run('another request', [serving(keep)], [job()], [ASSOCIATED, result(1), END])
    check('has another boundary', requests[1].boundary != first)


def test_credentials():
    requests = []

    def keep(request):
        requests.append(request.fields.get('authorization'))
        return 200, as_json(dataset(stored=request.uids))
    run('basic authentication', [serving(keep)], [job()], [ASSOCIATED, result(1), END],
        username='someone', password='pass:w\u00f6rd')
    check('is sent at once', requests == [
        'Basic ' + base64.b64encode('someone:pass:w\u00f6rd'.encode()).decode()], requests)
    requests.clear()
    run('bearer authentication', [serving(keep)], [job()], [ASSOCIATED, result(1), END],
        bearer_token='eyJ.abc')
    check('is sent at once, too', requests == ['Bearer eyJ.abc'], requests)
    run('credentials are in no message',
        [always(401, 'someone secretive', WWW_Authenticate='Basic realm="someone secretive"')],
        [job()], [failed(REJECTED, 0, UNAUTHORIZED + '$'), END], username='someone',
        password='secretive')
    check('nor anywhere else', 'secretive' not in drive.output, drive.output)


def test_batches():
    run('as many as are waiting, and no more than permitted', [serving()],
        [job() for _ in range(7)] + ['wait', job()],
        [ASSOCIATED] + [result(n) for n in range(1, 9)] + [END], '-b', '3',
        seen=['POST 3', 'POST 3', 'POST 1', 'POST 1'], quick=PATIENCE)
    run('an instance that is there twice is in two requests', [serving()],
        [job(uid='1.2.9'), job(uid='1.2.9', data=b'other'), job(), job(uid='1.2.9')],
        [ASSOCIATED, result(1), result(3), result(2), result(4), END],
        seen=['POST 2', 'POST 1', 'POST 1'])
    run('what has no UID is alone', [serving(lambda r: (
        200, as_json(dataset(stored=['1.2.3.4.5']))))], [job(uid=''), job(uid='1.2.3.4.5')],
        [ASSOCIATED, result(1), result(2), END], seen=['POST 1', 'POST 1'])
    run('so is what is large', [serving()], [job(), job(bytes(5000000)), job()],
        [ASSOCIATED, result(1), result(3), result(2), END], seen=['POST 2', 'POST 1'])
    run('many of some size are parted', [serving()], [job(bytes(4000000)) for _ in range(6)],
        [ASSOCIATED] + [result(n) for n in range(1, 7)] + [END], seen=['POST 4', 'POST 2'])
    run('a connection is kept for the next request', [serving()], [job(), 'wait', job(), 'wait'],
        [ASSOCIATED, result(1), result(2), END], '-l', '5000')
    peer = run('but not for ever', [serving()], [job(), 'wait', 'sleep 700', job(), 'wait'],
               [ASSOCIATED, result(1), result(2), END], '-l', '100')
    check('it was closed', peer.logs == [['POST 1', 'gone'], ['POST 1', 'gone']], peer.logs)


# ---------- what is said of each instance ----------

def test_lists():
    def mixed(request):
        first, second, third, fourth = request.uids
        return dataset(stored=[first, (second, 0xB007)], failed=[(third, 0xA700), (fourth, 0x0122)])
    expected = [ASSOCIATED, result(1), result(2, RESPONSE, 'B007'),
                result(3, RESPONSE, 'A700', 'HTTP'), result(4, RESPONSE, '0122', 'HTTP'), END]
    for status in (200, 202, 409, 400):
        for form, kind in ((as_json, JSON), (as_xml, XML), (as_json, None), (as_xml, 'text/plain')):
            run('mixed outcomes, status %d, %s as %s' % (status, form.__name__, kind),
                [serving(lambda r: (status, form(mixed(r)), {'kind': kind}))],
                [job() for _ in range(4)], expected, seen=['POST 4'])
    run('an array of datasets', [serving(lambda r: (200, '\ufeff  [%s, %s]' % (
        as_json(dataset(stored=r.uids[:1])), as_json(dataset(failed=[(r.uids[1], 0xC000)])))))],
        [job(), job()], [ASSOCIATED, result(1), result(2, RESPONSE, 'C000'), END])
    for words, said, status in (('a reason that means success', 0, '0110'),
                                ('a warning as its reason', 0xB000, '0110'), ('no reason', None, '0110'),
                                ('a reason beyond 16 bits', 70000, '0110'),
                                ('a reason in a string', '49152', 'C000'),
                                ('a reason that is none', 'C000', '0110'), ('one below', -1, '0110')):
        run('failed with %s' % words, [serving(lambda r: (
            200, as_json(dataset(failed=[(r.uids[0], said)]))))], [job()],
            [ASSOCIATED, result(1, RESPONSE, status), END])
    run('stored with a reason that is no warning', [serving(lambda r: (
        200, as_json(dataset(stored=[(r.uids[0], 0xA700)]))))], [job()],
        [ASSOCIATED, result(1, RESPONSE, 'B000', 'stored, with A700H'), END])
    run('in both lists: failed', [serving(lambda r: (
        200, as_json(dataset(stored=r.uids, failed=[(r.uids[0], 0xA900)]))))], [job()],
        [ASSOCIATED, result(1, RESPONSE, 'A900'), END])
    run('other failures, of the only one', [serving(lambda r: (
        409, as_json(dataset(other=[0xC122]))))], [job()],
        [ASSOCIATED, result(1, RESPONSE, 'C122'), END])
    run('the only one under the UID of its dataset', [serving()], [job(said_uid='1.2.4')],
        [ASSOCIATED, result(1), END])
    run('and among others: alone', [serving()], [job(), job(said_uid='1.2.4')],
        [ASSOCIATED, result(1), result(2), END], seen=['POST 2', 'POST 1'])
    run('UIDs with padding', [serving(lambda r: (
        200, as_json(dataset(stored=[r.uids[0] + '\0', r.uids[1] + ' ']))))], [job(), job()],
        [ASSOCIATED, result(1), result(2), END], seen=['POST 2'])
    run('a UID that only begins like ours', [serving(lambda r: (
        200, as_json(dataset(stored=[r.uids[0] + '.1', r.uids[0][:-1]]))))], [job()],
        [ASSOCIATED, result(1, DEFERRED, '0000', '.*does not list'), END])


def test_unconfirmed():
    def left_out(request):
        return 200, as_json(dataset(stored=request.uids[:1]))
    run('one that is left out is asked for alone', [serving(left_out)], [job(), job(), job()],
        [ASSOCIATED, result(1), result(2), result(3), END], seen=['POST 3', 'POST 1', 'POST 1'])
    for words, body, why in (
            ('an empty body', '', 'does not say'), ('a page', '<html>ok<br></html>', 'neither'),
            ('a DOCTYPE', '<!DOCTYPE x [<!ENTITY a "b">]><NativeDicomModel/>', 'neither'),
            ('text', 'stored', 'neither'), ('half of JSON', '{"00081199": {"vr": "SQ", "Val', 'neither'),
            ('a string', '"yes"', 'neither'), ('another model', '<Model></Model>', 'neither')):
        run('200 with %s is no success' % words, [always(200, body)], [job(), job()],
            [ASSOCIATED, result(1, DEFERRED, '0000', 'server answered 200 OK, but .*' + why),
             result(2, DEFERRED), END], seen=['POST 2'])
    for words, body in (('an empty dataset', '{}'), ('empty sequences', '{"00081199": {"vr": "SQ"}}'),
                        ('an empty array', '[]'), ('odd types', '{"00081199": {"Value": [1, [2], {}]}}'),
                        ('more odd types', '{"00081199": [{"00081155": {"Value": {}}}], "00081198": 7}'),
                        ('a model', '<NativeDicomModel/>')):
        run('200 with %s is no success' % words, [always(200, body)], [job()],
            [ASSOCIATED, result(1, DEFERRED), END], seen=['POST 1'])
    run('204 is no success', [serving(lambda r: (204, b''))], [job()],
        [ASSOCIATED, result(1, DEFERRED, '0000', '.*204 No Content, but does not say'), END])


def test_hostile_bodies():
    nested = {'arrays': '[' * 100000, 'objects': '{"a":' * 100000, 'closed arrays': '[' * 3000 + ']' * 3000,
              'elements': '<NativeDicomModel>' * 50000,
              'closed elements': '<NativeDicomModel>' * 200 + '</NativeDicomModel>' * 200}
    for words, body in nested.items():
        run('nested %s' % words, [always(200, body)], [job()],
            [ASSOCIATED, result(1, DEFERRED, '0000', '.*neither'), END], quick=PATIENCE)
    bomb = '<!DOCTYPE a [<!ENTITY a "%s">' % ('x' * 1000) + ''.join(
        '<!ENTITY %s "%s">' % (chr(98 + n), ('&%s;' % chr(97 + n)) * 100) for n in range(8)) + ']>'
    run('an entity bomb', [always(200, bomb + '<NativeDicomModel>&i;</NativeDicomModel>')], [job()],
        [ASSOCIATED, result(1, DEFERRED, '0000', '.*neither'), END], quick=PATIENCE)
    run('bytes of every kind', [always(200, bytes(range(256)) * 100)], [job()],
        [ASSOCIATED, result(1, DEFERRED), END])
    run('no UTF-8', [always(200, b'{"00081199": {"Value": ["\xff\xfe"]}}')], [job()],
        [ASSOCIATED, result(1, DEFERRED), END])
    run('a million items', [always(200, as_json(dataset(stored=['1.2.3'] * 9000)))], [job()],
        [ASSOCIATED, result(1, DEFERRED, '0000', '.*too long|.*does not list'), END])
    run('a body that is too long', [always(200, '[' + ' ' * 2000000 + ']')], [job()],
        [ASSOCIATED, result(1, DEFERRED, '0000', '.*too long'), END])


# ---------- statuses ----------

def test_refusals():
    for status in (400, 409, 411, 413, 415, 422, 499):
        run('%d for one is for good' % status, [always(status, 'no')], [job()],
            [ASSOCIATED, result(1, REFUSED, '0000', 'server answered %d' % status), END])

    def not_the_second(request):
        bad = '1.2.66' in request.uids
        return (400, '') if bad else (200, as_json(dataset(stored=request.uids)))
    run('the bad one does not take down the others', [serving(not_the_second)],
        [job(), job(uid='1.2.66'), job()],
        [ASSOCIATED, result(1), result(2, REFUSED, '0000', 'server answered 400 Bad Request'), result(3), END],
        seen=['POST 3', 'POST 1', 'POST 1', 'POST 1'])

    def not_so_many(request):
        ok = len(request.parts) == 1
        return (200, as_json(dataset(stored=request.uids))) if ok else (413, '')
    run('too large together', [serving(not_so_many)], [job(), job()],
        [ASSOCIATED, result(1), result(2), END])
    for status in (500, 501, 505, 507, 599):
        run('%d for one is for now' % status, [always(status)], [job(), 'wait', job()],
            [ASSOCIATED, result(1, DEFERRED, '0000', 'server answered %d' % status),
             result(2, DEFERRED), END], seen=['POST 1', 'POST 1'])
    run('500 for two: one by one', [serving(lambda r: (
        500, '') if '1.2.67' in r.uids else (200, as_json(dataset(stored=r.uids))))],
        [job(uid='1.2.67'), job()], [ASSOCIATED, result(1, DEFERRED), result(2), END])


def test_server_failures():
    for status in (401, 404, 405, 406, 407, 410, 429):
        run('%d concerns the destination' % status, [always(status, 'x')], [job(), job()],
            [failed(REJECTED, 0, 'server answered %d' % status), END], seen=['POST 2'])
    for status in (403, 503):
        run('%d for several concerns the destination' % status, [always(status)], [job(), job()],
            [failed(REJECTED, 0, 'server answered %d' % status), END])
        run('%d for one may be its fault' % status, [always(status)], [job()],
            [failed(REJECTED, 1, 'server answered %d' % status), END])
    for status in (408, 502, 504):
        run('%d is a connection that breaks' % status, [always(status)], [job(), job()],
            [r'LOG\t2\t.*2 instances failed', failed(ABORTED, 1, 'server answered %d' % status), END],
            seen=['POST 2', 'POST 1'])
    run('how long to wait is told', [always(503, Retry_After='120')], [job(), job()],
        [failed(REJECTED, 0, r'503 Service Unavailable \(Retry-After: 120\)'), END])
    run('after a success, too', [serving(lambda r: (
        429, '') if '1.2.68' in r.uids else (200, as_json(dataset(stored=r.uids))))],
        [job(), 'wait', job(uid='1.2.68')],
        [ASSOCIATED, result(1), failed(REJECTED, 0, '429 Too Many Requests'), END])


def test_redirections():
    for status in (301, 302, 303, 307, 308):
        run('%d is not followed' % status,
            [always(status, Location='http://user:pw@elsewhere.example:81/dicom-web?x')], [job()],
            [failed(REJECTED, 0, 'redirection to .*elsewhere.example:81, which is not'), END],
            seen=['POST 1'], username='a', password='b')
    run('to nowhere', [always(302)], [job()], [failed(REJECTED, 0, 'redirection to another path'), END])
    run('with line noise', [always(302, Location='//\x07\x1b[2J/')], [job()], [failed(REJECTED), END])


# ---------- echo ----------

def echo(ok, message='', associated=None, server=''):
    return 'ECHO\t%d\t0000\t0\t%s\t%s\t%d\t\t\t\t\\d+\t\\d+$' % (
        ok, server, message, ok if associated is None else associated)


def test_echo():
    def found(request):
        assert request.target == '/dicom-web/studies?StudyInstanceUID=2.25.0&limit=1'
        return 200, '[]', {'Server': 'Hostile/1.0\x1b'}
    run('echo', [serving(found)], ['echo'], [echo(1, server=r'Hostile/1.0\?'), END], seen=['GET'])
    for status in (204, 400, 405, 406, 501):
        run('a server that answers %d to a search is well' % status,
            [serving(lambda r: (status, b''))], ['echo'], [echo(1), END])
    for status, associated in ((401, 0), (403, 1), (404, 1), (407, 0), (429, 0), (500, 1), (302, 0), (503, 0)):
        run('one that answers %d is not' % status, [always(status)], ['echo'],
            [echo(0, 'server answered %d.*' % status, associated), END])
    run('echo without a server', [lambda c: None], ['echo'], [echo(0, '.+'), END])
    run('echo without an answer', [answering(lambda c: None)], ['echo'],
        [echo(0, '.*within 1 s'), END], '-r', '1', quick=PATIENCE)
    run('an echo among jobs is refused', [serving()], [job(), 'wait', 'echo'],
        [ASSOCIATED, result(1), r'LOG\t3\t.*ECHO', 'EXIT\t1'], '-l', '5000')


run_all(globals())
