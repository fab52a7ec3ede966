#!/usr/bin/env python3
"""dicomgw-stow over TLS and through proxies: whom it trusts, and who it is (TAP output).

    hostile_stow_tls.py DRIVER PROGRAM

DRIVER is scu_driver, PROGRAM is dicomgw-stow.  The certificates are made here, with the
openssl program.
"""
import socket
import ssl
import threading
import warnings

from http_peer import HttpConnection, as_json, dataset, serving
from pki import Pki
from stow_test import *

# That TLS 1.1 is not to be used is what is tested.
warnings.simplefilter('ignore', DeprecationWarning)

OFF, REQUIRE, VERIFY_CA, VERIFY_FULL = range(4)
PKI = Pki(os.path.join(STORE.name, 'pki'))
path = PKI.path


def certificate(name, alternatives, ca='ca', **how):
    PKI.certificate(name, ca, '/O=Hospital/CN=' + name, names=alternatives, **how)


PKI.authority('ca')
PKI.authority('other')
certificate('here', 'DNS:localhost,IP:127.0.0.1')
certificate('pacs', 'DNS:pacs.example')
certificate('expired', 'DNS:localhost', days='-1')
certificate('weak', 'DNS:localhost', algorithm='rsa:1024')
certificate('client', 'DNS:client')
certificate('stranger', 'DNS:stranger', ca='other')


def server_context(name, client_ca=None, **settings):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers('DEFAULT:@SECLEVEL=0')
    context.load_cert_chain(path(name + '.pem'), path(name + '.key'))
    context.set_alpn_protocols(['http/1.1'])
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(path(client_ca + '.pem'))
    for key, value in settings.items():
        setattr(context, key, value)
    return context


def secure(name, behaviour, script, expected, server, *options, host='localhost', url=None, client_ca=None,
           context=None, quick=None, **settings):
    peer = Peer(behaviour, speak=HttpConnection, tls=context or server_context(server, client_ca))
    try:
        heard = drive((url or 'https://%s:%d/dicom-web') % (host, peer.port), script, *options, **settings)
    finally:
        peer.close()
    compare(name, heard, expected, peer, quick)
    return peer


SENT = [ASSOCIATED, result(1), END]
CA = {'tls_ca': path('ca.pem')}


def refused(why):
    return [failed(CONNECT, 0, 'could not connect: .*' + why), END]


def test_verification():
    for check_level, server, name, expected in (
            (VERIFY_FULL, 'here', 'its own name', SENT),
            (VERIFY_FULL, 'pacs', 'another name', refused('(name|host)')),
            (VERIFY_CA, 'pacs', 'another name', SENT),
            (VERIFY_FULL, 'stranger', 'another authority', refused('certificate')),
            (VERIFY_CA, 'stranger', 'another authority', refused('certificate')),
            (REQUIRE, 'stranger', 'another authority', SENT),
            (VERIFY_CA, 'expired', 'a date in the past', refused('expired')),
            (REQUIRE, 'expired', 'a date in the past', SENT),
            (VERIFY_CA, 'weak', 'a short key', refused('key too'))):
        secure('check %d, a certificate with %s' % (check_level, name), serving(), [job()], expected,
               server, tls=check_level, **CA)
    secure('an address in the certificate', serving(), [job()], SENT, 'here', host='127.0.0.1',
           tls=VERIFY_FULL, **CA)
    secure('the authorities of the system', serving(), [job()], refused('certificate'), 'here',
           tls=VERIFY_FULL)
    secure('authorities that are not there', serving(), [job()],
           [failed(CONNECT, 0, '(CAfile|certificate|locations)'), END], 'here', tls=VERIFY_FULL,
           tls_ca=path('nothing.pem'))


def test_server_name():
    asked = []

    def keep(request):
        asked.append((request.fields['host'], request.target))
        return 200, as_json(dataset(stored=request.uids))
    names = []
    context = server_context('pacs')
    context.sni_callback = lambda sock, name, context: names.append(name)
    peer = secure('another server name', serving(keep), [job()], SENT, 'pacs', host='127.0.0.1',
                  context=context, tls=VERIFY_FULL, tls_server_name='pacs.example', **CA)
    check('is what is asked for in TLS', names == ['pacs.example'], names)
    check('and the host is still the one of the URL', asked == [
        ('127.0.0.1:%d' % peer.port, '/dicom-web/studies')], asked)
    secure('a server name that is not its own', serving(), [job()], refused('(name|host)'), 'here',
           tls=VERIFY_FULL, tls_server_name='pacs.example', **CA)


def test_versions():
    for version, expected in ((ssl.TLSVersion.TLSv1_1, refused('')), (ssl.TLSVersion.TLSv1_2, SENT),
                              (ssl.TLSVersion.TLSv1_3, SENT)):
        context = server_context('here')
        context.minimum_version = context.maximum_version = version
        secure('%s' % version.name, serving(), [job()], expected, 'here', context=context,
               tls=REQUIRE)
    context = server_context('here')
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers('AES128-SHA')
    secure('no forward secrecy', serving(), [job()], refused(''), 'here', context=context, tls=REQUIRE)
    peer = Peer(lambda c: (c.receive(), c.respond(400)), speak=HttpConnection)
    compare('no TLS where it should be', drive('https://localhost:%d' % peer.port, [job()], tls=REQUIRE),
            [failed(CONNECT, 0, '(could not connect|no connection)'), END])
    peer.close()
    silent = Peer(lambda c: c.await_end(), speak=HttpConnection)
    compare('no handshake', drive('https://localhost:%d' % silent.port, [job()], '-c', '1', '-a', '1',
                                  tls=REQUIRE), [failed(CONNECT, 0, 'could not connect: .*time'), END],
            quick=PATIENCE)
    silent.close()


def test_client_certificate():
    own = {'tls_certificate': path('client.pem'), 'tls_key': path('client.key')}
    secure('our certificate is shown', serving(), [job()], SENT, 'here', client_ca='ca', tls=VERIFY_FULL,
           **own, **CA)
    # In TLS 1.3 the server refuses it when it has the request already; how much of the alert
    # is seen before the connection is reset is luck.
    for version, late in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)):
        for name, files, why in (('none', {}, 'asks for a certificate of ours, and there is none'), ('one of strangers', {
                'tls_certificate': path('stranger.pem'), 'tls_key': path('stranger.key')}, '')):
            context = server_context('here', 'ca')
            context.minimum_version = context.maximum_version = version
            secure('%s is shown, %s' % (name, version.name), serving(), [job()],
                   [failed('[13]' if late else CONNECT, '[01]' if late else 0, why), END], 'here',
                   context=context, tls=VERIFY_FULL, **files, **CA)
    secure('it is not there', serving(), [job()], [failed(CONNECT, 0, 'certificate'), END], 'here',
           tls=VERIFY_FULL, tls_certificate=path('nothing.pem'), tls_key=path('client.key'), **CA)
    secure('its key is another one', serving(), [job()], [failed(CONNECT, 0, 'key'), END], 'here',
           tls=VERIFY_FULL, tls_certificate=path('client.pem'), tls_key=path('stranger.key'), **CA)
    PKI.openssl('rsa', '-aes128', '-passout', 'pass:secret', '-in', 'client.key', '-out', 'locked.key')
    secure('its key has a passphrase', serving(), [job()], [failed(CONNECT, 0, 'key'), END], 'here',
           tls=VERIFY_FULL, tls_certificate=path('client.pem'), tls_key=path('locked.key'), quick=PATIENCE, **CA)


def test_echo():
    secure('echo says what TLS is like', serving(lambda r: (200, '[]')), ['echo'],
           [r'ECHO\t1\t0000\t0\t\t\t1\tTLSv1.3\tTLS_\w+\tCN=here,O=Hospital\t[1-9]\d*\t[1-9]\d*$', END],
           'here', tls=VERIFY_FULL, **CA)
    secure('echo to a stranger', serving(), ['echo'],
           [r'ECHO\t0\t0000\t0\t\tcould not connect: .*certificate.*\t0\t\t\t\t', END], 'stranger',
           tls=VERIFY_FULL, **CA)


# ---------- proxies ----------

def tunnel(port, seen, refuse=None):
    """A proxy's side of one connection; CONNECT leads to this port."""
    def behave(connection):
        head = connection.read_head().decode()
        seen.append(head.split('\r\n')[0])
        if refuse:
            return connection.respond(refuse, 'no', kind=None)
        connection.send(b'HTTP/1.1 200 Connection established\r\n\r\n')
        with socket.create_connection(('127.0.0.1', port)) as onward:
            back = threading.Thread(target=copy, args=(onward, connection.sock), daemon=True)
            back.start()
            copy(connection.sock, onward)
            back.join(5)
    return behave


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_proxies():
    def keep(request):
        seen.append((request.target, request.fields.get('authorization') is not None))
        return 200, as_json(dataset(stored=request.uids))
    seen = []
    proxy = Peer(serving(keep), speak=HttpConnection)
    compare('http through a proxy', drive('http://pacs.example/dicom-web', [job()], username='a', password='b',
                                          proxy='http://127.0.0.1:%d' % proxy.port), SENT)
    proxy.close()
    check('is asked of the proxy', seen == [('http://pacs.example/dicom-web/studies', True)], seen)
    seen = []
    server = Peer(serving(), speak=HttpConnection, tls=server_context('pacs'))
    proxy = Peer(tunnel(server.port, seen), speak=HttpConnection)
    compare('https through a proxy', drive('https://pacs.example:8443', [job()], tls=VERIFY_FULL,
                                           proxy='http://127.0.0.1:%d' % proxy.port, **CA), SENT)
    check('is a tunnel through it', seen == ['CONNECT pacs.example:8443 HTTP/1.1'], seen)
    proxy.close()
    for status in (403, 407, 502):
        proxy = Peer(tunnel(server.port, seen, refuse=status), speak=HttpConnection)
        compare('a proxy that answers %d' % status, drive(
            'https://pacs.example:8443', [job()], tls=VERIFY_FULL,
            proxy='http://127.0.0.1:%d' % proxy.port, **CA),
            [failed(CONNECT, 0, 'could not connect: .*%d' % status), END])
        proxy.close()
    server.close()
    os.environ['http_proxy'] = os.environ['all_proxy'] = 'http://127.0.0.1:1'
    run('no proxy from the environment', [serving()], [job()], SENT)


run_all(globals())
