#!/usr/bin/python3
"""TLS listeners of dicomgw-scp: who gets in, and what is said of who does not (TAP output).

usage: hostile_scp_tls.py scp_driver dicomgw-scp

The certificates are made here, with the openssl program; the peers are
Python's ssl module and DCMTK's echoscu and storescu.
"""

import os
import socket
import ssl
import struct
import subprocess
import time
import warnings

import pydicom.data

from pki import Pki
from scp_test import *

# That TLS 1.1 is not to be used is what is tested.
warnings.simplefilter("ignore", DeprecationWarning)

NONE, OPTIONAL, REQUIRED = 0, 1, 2
DATA_SET = struct.pack("<HH2sH", 8, 0x18, b"UI", 6) + b"1.2.3\0" + bytes(700000)


def make_certificates():
    pki.authority("ca")
    pki.authority("foreign")
    pki.certificate("server", "ca", "/CN=localhost")
    pki.certificate("renewed", "ca", "/CN=renewed")
    pki.certificate("client", "ca", "/O=Klinik/CN=CT Nürnberg")
    pki.certificate("revoked", "ca", "/CN=revoked")
    pki.certificate("stranger", "foreign", "/CN=stranger")
    pki.certificate("expired", "ca", "/CN=expired", days="-1", key="server")
    pki.certificate("weak", "ca", "/CN=weak", algorithm="rsa:1024")
    pki.certificate("elliptic", "ca", "/CN=elliptic", algorithm="ec:P-256")
    pki.openssl("rsa", "-aes128", "-passout", "pass:secret", "-in", "server.key", "-out", "locked.key")
    pki.openssl("ca", "-config", "ca.cnf", "-revoke", "revoked.pem")
    pki.openssl("ca", "-config", "ca.cnf", "-gencrl", "-crldays", "30", "-out", "ca.crl")
    pki.openssl("ca", "-config", "foreign.cnf", "-gencrl", "-crldays", "30", "-out", "foreign.crl")


def client(certificate=None, key=None, **versions):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(pki.path("ca.pem"))
    if certificate is not None:
        context.load_cert_chain(pki.path(certificate + ".pem"), pki.path((key or certificate) + ".key"))
    for name, value in versions.items():
        setattr(context, name, value)
    return context


def configure(**settings):
    """New settings, and what is said of the TLS listener."""
    test.driver.set(**settings)
    return test.driver.expect("listener 2")


def tls_files(name, key=None, **settings):
    return configure(tls_certificate=pki.path(name + ".pem"), tls_key=pki.path((key or name) + ".key"),
                     **settings)


def session():
    """What was reported of the last peer's TLS: version, cipher, subject."""
    line = [line for line in test.driver.lines if line.startswith("tls ")][-1]
    return line.split(" ", 4)[2:]


def is_served(context):
    with Peer(tls_port, tls=context) as peer:
        good = peer.associate() is not None and peer.store(DATA_SET) == (0, "")
        return good and test.end(peer)


def is_refused(context, *why):
    """The handshake fails, and one of these reasons is reported."""
    try:
        with Peer(tls_port, tls=context) as peer:
            refused = peer.associate() is None
    except OSError:
        refused = True
    reason, message = test.closed()
    if reason != TLS or not any(w in message for w in why):
        print("# %s %s" % (reason, message))
        return False
    return refused


def check_versions():
    line = tls_files("server", tls_client=NONE, listeners=2)
    test.ok(line == "listener 2 1 ", "a TLS listener")
    expires = [line for line in test.driver.lines if line.startswith("expires 2 ")]
    left = int(expires[-1].split(" ")[2]) - time.time()
    test.ok(29 * 86400 < left < 31 * 86400, "when its certificate expires")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        test.ok(is_served(client(minimum_version=version, maximum_version=version)), version.name)
        said = session()
        test.ok(said[0] == version.name.replace("_", ".") and said[1] != "" and said[2] == "",
                "it is reported: " + " ".join(said))
    old = client(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    test.ok(is_refused(old, "unsupported protocol"), "TLS 1.1 is refused")
    for cipher in ("AES128-SHA", "ECDHE-RSA-AES128-SHA", "NULL-SHA256"):
        weak = client(maximum_version=ssl.TLSVersion.TLSv1_2)
        weak.set_ciphers(cipher + ":@SECLEVEL=0")
        test.ok(is_refused(weak, "no shared cipher"), cipher + " is refused")


def check_elliptic():
    """A certificate with another kind of key, and the ciphers that go with it."""
    tls_files("elliptic")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        test.ok(is_served(client(minimum_version=version, maximum_version=version)),
                "elliptic curve, " + version.name + " " + session()[1])
    tls_files("server")


def check_wrong_port():
    """Plain DICOM to the TLS port, and the other way round."""
    with Peer(tls_port) as peer:
        test.ok(peer.associate() is None, "plain DICOM on a TLS port ends")
    test.ok(test.closed() == (TLS, "the peer speaks no TLS"), "which is said")
    try:
        Peer(test.port, tls=client())
        test.ok(False, "TLS on a plain port ends")
    except OSError:
        test.ok(True, "TLS on a plain port ends")
    test.ok(test.closed() == (PROTOCOL, "the peer speaks TLS, which this listener does not"),
            "which is said")
    with Peer(tls_port) as peer:
        peer.send(b"\x16\x03\x01\x00\xff" + bytes(255))
        test.ok(peer.receive()[0] != ASSOCIATE_AC and test.closed()[0] == TLS, "garbage in a record")
    with Peer(tls_port, tls=client()) as peer:
        peer.send(b"GET / HTTP/1.1\r\n\r\n")
        test.ok(peer.receive()[0] in (ABORT, None) and test.closed_with(PROTOCOL), "HTTPS")


def check_clients():
    tls_files("server", tls_client=REQUIRED, tls_ca=pki.path("ca.pem"))
    test.ok(is_served(client("client")), "a client certificate that is required")
    test.ok(session()[2] == "CN=CT Nürnberg,O=Klinik", "its subject is reported")
    test.ok(is_refused(client(), "peer did not return a certificate"), "none")
    test.ok(is_refused(client("stranger"), "unable to get local issuer certificate"),
            "one of another authority")
    test.ok(is_refused(client("expired", key="server"), "certificate has expired"),
            "one that has expired")
    tls_files("server", tls_client=OPTIONAL)
    test.ok(is_served(client()) and session()[2] == "", "none, where it is optional")
    test.ok(is_served(client("client")), "a good one, where it is optional")
    test.ok(is_refused(client("stranger"), "unable to get local issuer certificate"),
            "a wrong one, where it is optional")
    tls_files("server", tls_client=NONE)
    test.ok(is_served(client("stranger")) and session()[2] == "", "none is asked for: any will do")


def check_revocation():
    tls_files("server", tls_client=REQUIRED, tls_ca=pki.path("ca.pem"))
    test.ok(is_served(client("revoked")), "without revocation lists nobody is revoked")
    configure(tls_crl=pki.path("ca.crl"))
    test.ok(is_refused(client("revoked"), "certificate revoked"), "revoked")
    test.ok(is_served(client("client")), "not revoked")
    configure(tls_crl=pki.path("foreign.crl"))
    test.ok(is_refused(client("client"), "unable to get certificate CRL"),
            "no list of its authority")
    pki.openssl("ca", "-config", "ca.cnf", "-gencrl", "-crlsec", "1", "-out", "old.crl")
    while time.time() < os.path.getmtime(pki.path("old.crl")) + 2:
        time.sleep(0.1)
    line = configure(tls_crl=pki.path("old.crl"))
    test.ok(line.startswith('listener 2 1 a revocation list in "%s" expired at ' % pki.path("old.crl")),
            "an old list is reported")
    test.ok(is_refused(client("client"), "CRL has expired"), "and good for nobody")
    line = configure(tls_crl=pki.path("missing.crl"))
    test.ok(line == 'listener 2 1 could not load the revocation lists from "%s": No such file or '
            'directory; the certificate that was loaded before stays in use' % pki.path("missing.crl"),
            "a list that is missing")
    test.ok(configure(tls_crl=pki.path("server.key")).endswith("it holds none; the certificate that "
            "was loaded before stays in use"), "a file without one")
    test.ok(configure(tls_crl="", tls_client=NONE) == "listener 2 1 ", "without lists again")


def peer_certificate():
    with Peer(tls_port, tls=client()) as peer:
        der = peer.sock.getpeercert(binary_form=True)
        peer.associate()
        test.end(peer)
    return der


def pem(name):
    with open(pki.path(name)) as file:
        return file.read()


def check_renewal():
    """The files change; what is open goes on."""
    for name in ("key", "pem"):
        with open(pki.path("live." + name), "w") as file:
            file.write(pem("server." + name))
    tls_files("live")
    before = peer_certificate()
    with Peer(tls_port, tls=client()) as peer:
        peer.associate()
        for name in ("key", "pem"):
            with open(pki.path("live." + name), "w") as file:
                file.write(pem("renewed." + name))
        test.ok(configure() == "listener 2 1 ", "new files are picked up")
        after = peer_certificate()
        test.ok(before != after == ssl.PEM_cert_to_DER_cert(pem("renewed.pem")),
                "the next association has the new certificate")
        test.ok(peer.store(DATA_SET) == (0, ""), "the open one goes on")
        test.end(peer)
    os.rename(pki.path("live.key"), pki.path("away.key"))
    line = configure()
    test.ok(line == 'listener 2 1 could not load the private key from "%s": No such file or '
            'directory; the certificate that was loaded before stays in use' % pki.path("live.key"),
            "a key that has gone")
    test.ok(is_served(client()), "serves with the one it had")
    os.rename(pki.path("away.key"), pki.path("live.key"))
    test.ok(test.driver.expect("listener 2") == "listener 2 1 ", "which is found when it is back")


def check_broken():
    """A listener that has no good certificate does not listen; the others do."""
    test.driver.set(listeners=1)
    cases = [("missing.pem", "server.key", "could not load the certificate from", "No such file"),
             ("server.key", "server.key", "could not load the certificate from", "no start line"),
             ("server.pem", "server.pem", "could not load the private key from", "unsupported"),
             ("server.pem", "client.key", "private key", "does not belong to"),
             ("server.pem", "locked.key", "private key", "is protected by a passphrase"),
             ("weak.pem", "weak.key", "could not load the certificate from", "ee key too small")]
    for cert, key, *words in cases:
        line = configure(tls_certificate=pki.path(cert), tls_key=pki.path(key), listeners=2)
        good = line.startswith("listener 2 0 ") and all(word in line for word in words)
        test.ok(good, "%s with %s: %s" % (cert, key, line[13:].replace(pki.folder + "/", "")))
        test.ok(test.still_serves(), "the plain listener serves")
        test.driver.set(listeners=1)
    with socket.socket() as probe:
        test.ok(probe.connect_ex(("127.0.0.1", tls_port)) != 0, "nobody listens there")
    line = tls_files("missing", listeners=2)
    os.symlink(pki.path("server.pem"), pki.path("missing.pem"))
    os.symlink(pki.path("server.key"), pki.path("missing.key"))
    while line is not None and line != "listener 2 1 ":
        line = test.driver.expect("listener 2")
    test.ok(line == "listener 2 1 " and is_served(client()), "it listens when they are there")
    line = tls_files("expired", "server")
    test.ok(line.startswith('listener 2 1 certificate "%s" expired at ' % pki.path("expired.pem")),
            "an expired certificate is reported, and used")
    indifferent = client()
    indifferent.verify_mode = ssl.CERT_NONE
    test.ok(is_served(indifferent), "by peers that don't care")
    tls_files("server")


def check_drips():
    """A handshake that takes for ever has no more time than a request."""
    configure(association_timeout=2)
    start = time.monotonic()
    with Peer(tls_port) as peer:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            client().wrap_bio(incoming, outgoing).do_handshake()
        except ssl.SSLWantReadError:
            pass
        for byte in outgoing.read():
            try:
                peer.send(bytes([byte]))
            except OSError:
                break
            if peer_has_ended(peer, 0.1):
                break
        test.ok(test.closed_with(TIMEOUT) and time.monotonic() - start < 8, "a dripping handshake")
    with Peer(tls_port, tls=client()) as peer:
        test.ok(test.closed_with(TIMEOUT), "silence after the handshake")
    configure(association_timeout=10)
    with Peer(tls_port) as peer:
        peer.send(b"\x16\x03\x01")
        test.driver.tell("abort %d" % test.pid("association"))
        test.ok(test.closed_with(TOLD) and peer.receive()[0] is None, "abort within the handshake")
    with Peer(tls_port, tls=client()) as peer:
        peer.associate()
        test.driver.tell("abort %d" % test.pid())
        test.ok(peer.receive()[0] == ABORT and test.closed_with(TOLD), "abort of an idle association")


def peer_has_ended(peer, wait):
    peer.sock.settimeout(wait)
    try:
        return peer.sock.recv(1, socket.MSG_PEEK) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def check_polite():
    """DCMTK's own programs, and a PDU at a time from us."""
    tls_files("server", tls_client=REQUIRED, tls_ca=pki.path("ca.pem"))
    options = ["+tls", pki.path("client.key"), pki.path("client.pem"), "+cf", pki.path("ca.pem"), "-aet", "TESTER",
               "-aec", "DICOMGW", "127.0.0.1", str(tls_port)]
    done = subprocess.run(["echoscu"] + options, capture_output=True, text=True)
    test.ok(done.returncode == 0 and test.closed_with(RELEASED), "echoscu " + done.stderr)
    ct = pydicom.data.get_testdata_files("CT_small.dcm")[0]
    done = subprocess.run(["storescu"] + options + [ct], capture_output=True, text=True)
    test.ok(done.returncode == 0 and test.closed_with(RELEASED), "storescu " + done.stderr)
    with Peer(tls_port, tls=client("client")) as peer:
        peer.associate()
        for size in (1, 16384, 200000, 3000001):
            data = (DATA_SET * 5)[:size]
            test.ok(peer.store(data) == (0, ""), "%d bytes" % size)
            line = test.driver.expect("received").split(" ")
            with open(os.path.join(test.storage, line[3]), "rb") as file:
                test.ok(file.read().endswith(data) and int(line[7]) == size, "stored as sent")
        test.end(peer)
    with Peer(tls_port, tls=client("client")) as peer:
        peer.associate()
        peer.send_command(store_rq())
        peer.send(pdu(P_DATA, pdv(1, bytes(1000), last=False))[:100])
    test.ok(test.closed_with(PEER_GONE), "a peer that goes without a word")


tls_port = free_port()
test = ScpTest(tls_port=tls_port)
pki = Pki(os.path.join(test.scratch, "pki"))
make_certificates()
test.run(check_versions, check_elliptic, check_wrong_port, check_clients, check_revocation,
         check_renewal, check_broken, check_drips, check_polite)
