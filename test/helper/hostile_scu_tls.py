#!/usr/bin/env python3
"""dicomgw-scu towards peers with TLS: whom it believes, and what it says otherwise (TAP).

    hostile_scu_tls.py DRIVER PROGRAM

The certificates are made here, with the openssl program; the peers are Python's ssl module.
"""
import os
import ssl
import warnings

from dicom_peer import reject
from pki import Pki
from scu_test import *

# That TLS 1.1 is not to be used is what is tested.
warnings.simplefilter('ignore', DeprecationWarning)

REQUIRE, VERIFY_CA, VERIFY_FULL = '1', '2', '3'
NAME = 'pacs.example'
LARGE = bytes(range(256)) * 12000

PKI = Pki(os.path.join(STORE.name, 'pki'))


def make_certificates():
    for authority in ('ca', 'foreign'):
        PKI.authority(authority)
    PKI.certificate('pacs', 'ca', '/O=Klinik/CN=PACS Nürnberg', names='DNS:pacs.example,IP:127.0.0.1')
    PKI.certificate('wildcard', 'ca', '/CN=any', key='pacs', names='DNS:*.klinik.example')
    PKI.certificate('common', 'ca', '/CN=pacs.example', key='pacs')
    PKI.certificate('other', 'ca', '/CN=other', key='pacs',
                    names='DNS:other.example,DNS:ris.example,IP:10.0.0.1,IP:fe80::1')
    PKI.certificate('stranger', 'foreign', '/CN=stranger', key='pacs', names='DNS:pacs.example')
    PKI.certificate('expired', 'ca', '/CN=expired', key='pacs', days='-1', names='DNS:pacs.example')
    PKI.certificate('weak', 'ca', '/CN=weak', algorithm='rsa:1024', names='DNS:pacs.example')
    PKI.certificate('elliptic', 'ca', '/CN=elliptic', algorithm='ec:P-256', names='DNS:pacs.example')
    PKI.certificate('gateway', 'ca', '/CN=gateway')
    PKI.certificate('intruder', 'foreign', '/CN=intruder')
    PKI.openssl('rsa', '-aes128', '-passout', 'pass:secret', '-in', 'gateway.key', '-out', 'locked.key')


def server(certificate='pacs', key=None, clients=None, **settings):
    """A peer's side of TLS; clients: the authority of the certificates that it wants."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers('ALL:@SECLEVEL=0')
    key = key or (certificate if os.path.exists(PKI.path(certificate + '.key')) else 'pacs')
    context.load_cert_chain(PKI.path(certificate + '.pem'), PKI.path(key + '.key'))
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(PKI.path(clients + '.pem'))
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def full(*options, name=NAME):
    return ('-t', VERIFY_FULL, '-A', PKI.path('ca.pem'), '-N', name) + options


def shows(certificate, key=None):
    return '-C', PKI.path(certificate + '.pem'), '-K', PKI.path((key or certificate) + '.key')


def accepted(name, tls, *options, **how):
    run(name, [good], [job(), job(LARGE)], [OPEN, result(1), result(2), END], *options, tls=tls,
        seen=['associate 1', 'message 18', 'message %d' % len(LARGE), 'release'], **how)


def refused(name, tls, words, *options, behaviour=good, **how):
    run(name, [behaviour], [job()], [failed(CONNECT, 0, words), END], *options, tls=tls, **how)


# ---------- whom it believes ----------

def test_good():
    accepted('verify-full, a name', server(), *full())
    accepted('verify-full, the name is the host', server(), '-t', VERIFY_FULL, '-A', PKI.path('ca.pem'))
    accepted('a wildcard', server('wildcard'), *full(name='pacs.klinik.example'))
    accepted('a common name, where no other name is', server('common'), *full())
    accepted('an elliptic curve', server('elliptic'), *full())
    accepted('verify-ca does not look at the name', server('other'), '-t', VERIFY_CA, '-A',
             PKI.path('ca.pem'))
    accepted('require does not look at the certificate', server('stranger'), '-t', REQUIRE)
    accepted('nor at its date', server('expired'), '-t', REQUIRE)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        accepted(version.name, server(minimum_version=version, maximum_version=version), *full())


def test_names():
    names = []

    def note(_sock, name, _context):
        names.append(name)
    accepted('the name is asked for', server(sni_callback=note), *full())
    accepted('an address is not', server(sni_callback=note), *full(name='127.0.0.1'))
    check('by SNI', names == [NAME, None], names)
    refused('another name', server('other'), r'made out to "pacs.example" but to "other.example", '
            r'"ris.example", "10.0.0.1", "fe80::1"', *full())
    refused('another address', server('other'), r'made out to "127.0.0.1" but to', *full(name='127.0.0.1'))
    refused('another common name', server('common'), r'made out to "ris.example" but to "pacs.example"',
            *full(name='ris.example'))


def test_bad_certificates():
    refused('another CA', server('stranger'), 'not trusted: unable to get local issuer', *full())
    refused('a CA that the system does not know', server(), 'not trusted', '-t', VERIFY_CA)
    refused('expired', server('expired'), 'not valid: certificate has expired', *full())
    refused('a key that is too short', server('weak'), 'key too weak', *full())


def test_old_versions():
    old = ssl.TLSVersion.TLSv1_1
    refused('TLS 1.1', server(minimum_version=old, maximum_version=old),
            '(unsupported protocol|protocol version)', *full())
    weak = server(maximum_version=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers('AES256-SHA:@SECLEVEL=0')
    refused('no forward secrecy', weak, 'handshake failure', *full())


# ---------- who we are ----------

def test_own_certificate():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        tls = server(clients='ca', minimum_version=version, maximum_version=version)
        accepted('our certificate, %s' % version.name, tls, *full(*shows('gateway')))
        refused('none, %s' % version.name, tls, 'want a certificate of ours, and we have none', *full())
        refused('one that is not believed, %s' % version.name, tls, 'does not accept our certificate',
                *full(*shows('intruder')))


def test_broken_files():
    def untried(name, words, *options):
        run(name, [good], [job()], [failed(CONNECT, 0, words), END], *options, tls=server(), seen=[])
    untried('a CA file that is missing', 'authorities.*missing.pem": No such file', '-t', VERIFY_FULL, '-A',
            PKI.path('missing.pem'))
    untried('a CA file that holds none', 'authorities.*pacs.key"', '-t', VERIFY_FULL, '-A', PKI.path('pacs.key'))
    untried('a key that is missing', 'private key.*missing.key": No such file', *full(*shows('gateway', 'missing')))
    untried('a key of another certificate', 'does not belong to', *full(*shows('gateway', 'intruder')))
    untried('a key with a passphrase', 'protected by a passphrase', *full(*shows('gateway', 'locked')))


# ---------- peers that speak something else, or nothing ----------

def test_no_tls():
    refused('a peer that answers in DICOM', None, 'speaks no TLS', *full(),
            behaviour=lambda a: (a.send(reject(1, 1, 7)), a.sock.recv(10000)))
    refused('a peer that answers in HTTP', None, 'speaks no TLS', *full(),
            behaviour=lambda a: (a.sock.recv(10000), a.send(b'HTTP/1.1 400 Bad Request\r\n\r\n')))
    refused('a peer that closes', None, 'closed the connection|reset', *full(),
            behaviour=lambda a: a.sock.recv(10000))
    refused('a peer that stalls', None, 'no handshake within 1 s', *full('-a', '1'),
            behaviour=lambda a: a.await_end(), quick=PATIENCE)

    def dripping(association):
        drip(lambda a: b'\x16\x03\x03\x40\x00\x02' + bytes(100))(association)
    refused('a peer that drips', None, 'no handshake within 1 s', *full('-a', '1'), behaviour=dripping,
            quick=PATIENCE)
    refused('an alert of unknown kind', None, 'TLS alert', *full(),
            behaviour=lambda a: (a.sock.recv(10000), a.send(b'\x15\x03\x03\x00\x02\x02\xee')))
    run('a peer without TLS that is not asked for it', [good], [job()], [OPEN, result(1), END])
    run('TLS where none is wanted', [good], [job()], [failed('[1-5]'), END], '-a', '2', tls=server())


def test_breaks():
    def abrupt(association):
        association.accept()
        association.read_message()
        association.sock.close()
    run('closed without a word', [abrupt], [job()], [OPEN, failed(ABORTED, 1, 'closed|reset'), END], *full(),
        tls=server())

    def spoiled(association):
        association.accept()
        association.read_message()
        os.write(association.sock.fileno(), b'this is no TLS record at all' * 10)
        association.sock.close()
    run('TLS that turns into something else', [spoiled], [job()], [OPEN, failed('[345]', 1), END], *full(),
        tls=server())
    run('no response', [after_request(lambda a: None)], [job()],
        [OPEN, failed(TIMEOUT, 1, 'within 1 s'), END], *full('-r', '1'), tls=server(), quick=PATIENCE)


def test_idle():
    run('kept while idle, though tickets come', [good], [job(), 'wait', 'sleep 200', job(), 'wait'],
        [OPEN, result(1), result(2), END], *full('-l', '5000'), tls=server(num_tickets=8),
        seen=['associate 1', 'message 18', 'message 18', 'release'])


def test_echo():
    echoing = answering(field=0x8030)
    tls = server()
    run('echo', [echoing], ['echo'],
        [r'ECHO\t1\t0000\t16384\t1.2.3.4 HOSTILE\t\t1\tTLSv1.3\tTLS_\S+\tCN=PACS Nürnberg,O=Klinik\t',
         END], *full(), tls=tls)
    run('echo, rejected', [saying(reject(1, 1, 7))], ['echo'],
        [r'ECHO\t0\t0000\t0\t\t.*called AE title.*\t0\tTLSv1.3\tTLS_\S+\tCN=PACS', END], *full(), tls=tls)
    run('echo, another name', [echoing], ['echo'],
        [r'ECHO\t0\t0000\t0\t\t.*not made out to "ris.example".*\t0\t\t\t\t', END],
        *full(name='ris.example'), tls=tls)


make_certificates()
run_tests(globals())
