"""Keeps the lists of revoked certificates (CRLs) as new as Spaces has them. A part of the poller.

A release reaches one host after another, and a host that is not well stops it. So the lists are an object of their own,
which all hosts look at every few seconds; releases have empty ones, with which programs start on a new host. The internal
CA has signed each list, and a list with a smaller number than the host's own is not taken, so nobody without the CA's key
can change them or bring back former ones.
"""

import os
import re
import subprocess
import tempfile
import time

import host
import members
import spaces
from files import STATE, write

LOOK_S = 6
# The application uses a connection for 20 s (app/database.ts), and a statement takes 5 s at most. After this time, no
# session of it is older than the lists.
GRACE_S = 30
ROOT = ""
AUTHORITIES = "/etc/secured-web/ca.pem"
# The applications and programs of this host, and mysqld, which may read nothing else.
LISTS = "/etc/secured-web/revoked/lists.pem"
OF_MYSQLD = "/etc/mysql/revoked/lists.pem"
# What mysqld has loaded, and the number of a connection to it after that.
LOADED = "/run/secured-web/revoked.pem"
LAST = "/run/secured-web/revoked-at"
PID = "/run/mysqld/mysqld.pid"
LIST = re.compile("-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----\n?")
CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?")
MYSQL = ["mysql", *members.ROOT, "--batch", "--skip-column-names"]


def number_of(one, authority):
    """The number of a list that this authority has signed, else None."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("list", "authority")]
        for path, content in zip(paths, (one, authority)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        command = ["openssl", "crl", "-noout", "-crlnumber", "-in", paths[0], "-CAfile", paths[1]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    found = re.search("crlNumber=(?:0x)?([0-9A-Fa-f]+)", done.stdout)
    # The exit code is 0 in any case.
    return int(found[1], 16) if found and "verify OK" in done.stderr else None


def newest(authorities, texts):
    """For each authority its list with the largest number in any of the texts; those of equal numbers stay the first."""
    chosen = []
    for authority in CERTIFICATE.findall(authorities):
        numbered = [(number_of(one, authority), one) for text in texts for one in LIST.findall(text)]
        signed = [(number, one) for number, one in numbered if number is not None]
        chosen += [max(signed, key=lambda pair: pair[0])[1]] if signed else []
    return "".join(chosen)


def text_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


class Revoked:
    def __init__(self, own, keys):
        # Beside the releases of all hosts.
        self.url = f"{own['releases'].rsplit('/', 2)[0]}/revoked.pem"
        self.region = own["region"]
        self.keys = keys
        self.etag = ""
        self.fetched = ""
        self.compared = None
        self.looked_at = -LOOK_S

    def turn(self, now):
        """One look. Raises OSError, ValueError or SubprocessError, and then tries again in the next turn."""
        trouble = self.fetch(now)
        self.place()
        if os.path.exists(ROOT + OF_MYSQLD):
            self.load()
            self.end_sessions()
        if trouble:
            raise ValueError(trouble)

    def fetch(self, now):
        if now - self.looked_at < LOOK_S:
            return None
        self.looked_at = now
        new = f"{ROOT}/{STATE}/revoked.new"
        answer = spaces.get(self.url, self.keys, self.region, self.etag, new)
        if answer.status == 200:
            self.etag = answer.etag
            self.fetched = text_of(new)
        return answer.trouble

    def place(self):
        """Writes the newest lists where programs read them, unless they are there."""
        found = (text_of(ROOT + AUTHORITIES), text_of(ROOT + LISTS), self.fetched)
        if found != self.compared:
            lists = newest(found[0], found[1:])
            if lists and lists != found[1]:
                write(ROOT + LISTS, lists, 0o644)
                print("took newer lists of revoked certificates", flush=True)
            self.compared = (found[0], text_of(ROOT + LISTS), self.fetched)
        lists = self.compared[1]
        if os.path.exists(ROOT + OF_MYSQLD) and text_of(ROOT + OF_MYSQLD) != lists:
            write(ROOT + OF_MYSQLD, lists, 0o644)

    def load(self):
        """Has mysqld read its lists, where it has not."""
        lists = text_of(ROOT + OF_MYSQLD)
        if text_of(ROOT + LOADED) == lists:
            return
        # Connections are numbered, so a smaller number is an older one.
        last = ask("ALTER INSTANCE RELOAD TLS; SELECT CONNECTION_ID()")
        os.makedirs(os.path.dirname(ROOT + LOADED), exist_ok=True)
        write(ROOT + LAST, last, 0o600)
        write(ROOT + LOADED, lists, 0o600)

    def end_sessions(self):
        """Ends the sessions of applications that are older than the lists: their certificates were verified before."""
        try:
            since = os.stat(ROOT + LAST).st_mtime
        except FileNotFoundError:
            return
        if time.time() - since < GRACE_S:
            return
        last = text_of(ROOT + LAST).strip()
        # A mysqld that has started since has no such session.
        if os.path.exists(ROOT + PID) and os.stat(ROOT + PID).st_mtime < since:
            old = f"SELECT CONCAT('KILL ', ID, ';') FROM performance_schema.processlist WHERE USER = 'app' AND ID < {int(last)}"
            ask(ask(old) or "DO 0", "--force")
        os.unlink(ROOT + LAST)


def ask(statements, *options):
    code, said = host.output_of([*MYSQL, *options, f"--execute={statements}"], 10)
    if code != 0 and not options:
        raise ValueError(said.splitlines()[-1] if said else f"mysql ended with {code}")
    return said
