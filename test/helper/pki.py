"""Keys and certificates for tests, made with the openssl program."""

import os
import subprocess


def algorithm_options(algorithm):
    kind, size = algorithm.split(":")
    option = {"rsa": "rsa_keygen_bits", "ec": "ec_paramgen_curve"}[kind]
    return "-algorithm", kind, "-pkeyopt", option + ":" + size


class Pki:
    """A folder of them."""

    def __init__(self, folder):
        self.folder = folder
        os.mkdir(folder)

    def openssl(self, *arguments, **options):
        subprocess.run(("openssl",) + arguments, cwd=self.folder, check=True, capture_output=True,
                       **options)

    def path(self, name):
        return os.path.join(self.folder, name)

    def authority(self, name):
        """A certification authority of its own, which can revoke."""
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out",
                     name + ".pem", "-subj", "/CN=" + name, "-days", "30")
        open(self.path(name + ".index"), "w").close()
        with open(self.path(name + ".cnf"), "w") as config:
            config.write("[ca]\ndefault_ca=x\n[x]\ndatabase=%s.index\ndefault_md=sha256\n"
                         "certificate=%s.pem\nprivate_key=%s.key\n" % (name, name, name))

    def certificate(self, name, ca, subject, algorithm="rsa:2048", days="30", key=None, names=None):
        """A key and a certificate for it; names: "DNS:pacs.example,IP:127.0.0.1"."""
        if key is None:
            self.openssl("genpkey", "-out", name + ".key", *algorithm_options(algorithm))
        self.openssl("req", "-new", "-key", (key or name) + ".key", "-out", name + ".csr", "-utf8",
                     "-subj", subject)
        extensions = []
        if names is not None:
            with open(self.path(name + ".ext"), "w") as file:
                file.write("subjectAltName=" + names)
            extensions = ["-extfile", name + ".ext"]
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key",
                     "-CAcreateserial", "-out", name + ".pem", "-days", days, *extensions)
