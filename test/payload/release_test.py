"""The release program's pure parts and its files on disk. Run by release.test.ts."""

import base64
import datetime
import gzip
import http.server
import json
import os
import socket
import stat
import sys
import tempfile
import threading
import types
import unittest
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, sys.argv.pop(1))

import accounts  # noqa: E402
import apply  # noqa: E402
import checks  # noqa: E402
import envelope  # noqa: E402
import files  # noqa: E402
import host  # noqa: E402
import members  # noqa: E402
import membership  # noqa: E402
import poll  # noqa: E402
import program  # noqa: E402
import redact  # noqa: E402
import revoked  # noqa: E402
import seal  # noqa: E402
import spaces  # noqa: E402
import table  # noqa: E402
import verdicts  # noqa: E402


def file(path, content="x\n", mode="0644"):
    return {"path": path, "mode": mode, "content": content}


class OnDisk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def path(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def text(self, path):
        with open(self.path(path), encoding="utf-8", newline="") as opened:
            return opened.read()

    def tree(self):
        found = []
        for folder, _, names in os.walk(self.path("/etc")):
            found += [os.path.join(folder, name)[len(self.root) :] for name in names]
        return sorted(found)


class Files(OnDisk):
    def test_writes_the_content_and_the_mode_in_new_folders(self):
        files.write_files(self.root, [file("/etc/a/b/c", "é\r\n\tx", "0600"), file("/etc/run", "#!/bin/sh\n", "0755")])
        self.assertEqual(self.text("/etc/a/b/c"), "é\r\n\tx")
        modes = [stat.S_IMODE(os.stat(self.path(path)).st_mode) for path in ("/etc/a/b/c", "/etc/run")]
        self.assertEqual(modes, [0o600, 0o755])

    def test_replaces_a_file_by_renaming_so_that_an_open_one_stays_whole(self):
        files.write_files(self.root, [file("/etc/a", "old\n")])
        with open(self.path("/etc/a"), encoding="utf-8") as opened:
            files.write_files(self.root, [file("/etc/a", "new\n")])
            self.assertEqual(opened.read(), "old\n")
        self.assertEqual(self.text("/etc/a"), "new\n")
        self.assertEqual(self.tree(), ["/etc/a"])

    def test_a_link_in_its_way_is_replaced_and_its_target_stays(self):
        files.write_files(self.root, [file("/etc/target", "kept\n")])
        os.symlink("target", self.path("/etc/link"))
        files.write_files(self.root, [file("/etc/link", "new\n")])
        self.assertEqual([self.text("/etc/target"), self.text("/etc/link")], ["kept\n", "new\n"])

    def test_what_a_cut_attempt_left_is_overwritten(self):
        os.makedirs(self.path("/etc"))
        with open(self.path("/etc/.a.secured-web-new"), "w", encoding="utf-8") as left:
            left.write("a long rest of a cut attempt")
        files.write_files(self.root, [file("/etc/a", "new\n")])
        self.assertEqual([self.text("/etc/a"), self.tree()], ["new\n", ["/etc/a"]])

    def test_switches_there_and_back_again_as_often_as_one_likes(self):
        old = {"files": [file("/etc/kept"), file("/etc/changed", "old\n"), file("/etc/gone")]}
        new = {"files": [file("/etc/kept"), file("/etc/changed", "new\n"), file("/etc/added")]}
        files.write_files(self.root, old["files"])
        kept = os.stat(self.path("/etc/kept")).st_ino
        for first, second in [(old, new), (old, new), (new, old), (new, old), (old, new)]:
            files.switch(self.root, first, second)
            self.assertEqual(self.tree(), sorted(one["path"] for one in second["files"]))
            self.assertEqual(self.text("/etc/changed"), second["files"][1]["content"])
        self.assertEqual(os.stat(self.path("/etc/kept")).st_ino, kept, "an equal file is not touched")

    def test_changes_names_what_is_new_other_by_mode_or_content_and_gone(self):
        old = {"files": [file("/etc/a"), file("/etc/b"), file("/etc/c")]}
        new = {"files": [file("/etc/b", mode="0600"), file("/etc/c"), file("/etc/d")]}
        written, removed = files.changes(old, new)
        self.assertEqual(([one["path"] for one in written], removed), (["/etc/b", "/etc/d"], ["/etc/a"]))

    def test_refuses_files_of_a_wrong_form(self):
        for bad, reason in [
            (file("/etc/../root/x"), "path below"),
            (file("etc/x"), "path below"),
            (file("/etc//x"), "path below"),
            (file("/etc/"), "path below"),
            (file("/etcetera"), "path below"),
            (file("/root/.ssh/authorized_keys"), "path below"),
            (file("/etc/x", mode="04755"), "mode such as"),
            (file("/etc/x", mode="644"), "mode such as"),
            ({"path": "/etc/x", "mode": "0644"}, "to be texts"),
            (file("/etc/x", content=None), "to be texts"),
        ]:
            with self.assertRaisesRegex(files.Refused, reason):
                files.checked([file("/etc/good"), bad])
        with self.assertRaisesRegex(files.Refused, "same path"):
            files.checked([file("/etc/x"), file("/etc/x", "other\n")])

    def test_sorts_good_files(self):
        good = [file("/usr/local/lib/x"), file("/etc/x", mode="0755")]
        self.assertEqual([one["path"] for one in files.checked(good)], ["/etc/x", "/usr/local/lib/x"])


class FirstRelease(OnDisk):
    def first(self, *of_files):
        document = {"number": 0, "stack": "dev", "host": "web-1", "version": "v", "files": list(of_files)}
        os.makedirs(os.path.dirname(self.path(files.FIRST)), exist_ok=True)
        with open(self.path(files.FIRST), "wb") as written:
            text = json.dumps(document).replace("\\n", "\n")
            written.write(base64.b85encode(gzip.compress(text.encode())) + b"\n")
        return document

    def test_unpacks_and_keeps_the_document_for_root_alone(self):
        document = self.first(file("/etc/a"), file("/etc/secrets/b", "secret\n", "0600"))
        files.unpack(self.root)
        self.assertEqual(self.tree(), ["/etc/a", "/etc/secrets/b"])
        self.assertEqual(files.load(self.root, files.RUNNING), document)
        state = self.path(files.RUNNING)
        modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (state, os.path.dirname(state))]
        self.assertEqual(modes, [0o600, 0o700])

    def test_a_disk_of_another_droplet_keeps_nothing_beyond_the_release(self):
        self.first(file("/etc/a"), file("/etc/b"))
        files.unpack(self.root)
        self.first(file("/etc/b", "new\n"), file("/etc/c"))
        files.unpack(self.root)
        self.assertEqual([self.tree(), self.text("/etc/b")], [["/etc/b", "/etc/c"], "new\n"])

    def test_refuses_what_is_missing_cut_or_of_a_wrong_form(self):
        with self.assertRaises(FileNotFoundError):
            files.unpack(self.root)
        self.first(file("/etc/a"), file("/root/x"))
        with self.assertRaisesRegex(files.Refused, "path below"):
            files.unpack(self.root)
        for length in (80, 20, 3):
            with open(self.path(files.FIRST), "r+", encoding="utf-8") as cut:
                cut.truncate(length)
            with self.assertRaises(files.UNREADABLE):
                files.unpack(self.root)
        self.assertEqual(self.tree(), [])



OWN = {"stack": "dev", "host": "web-1"}
SECRETS = "/etc/secured-web/secrets"
SEALING_KEY = base64.b64encode(bytes(range(64))).decode()


def public_pem(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def signed(document, key, kind=envelope.TYPE, pack=lambda data: gzip.compress(data, mtime=0)):
    payload = pack(json.dumps(document).encode())
    signature = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload))
    encoded = [base64.b64encode(part).decode() for part in (payload, signature)]
    return json.dumps({"payloadType": kind, "payload": encoded[0], "signatures": [{"sig": encoded[1]}]}).encode()


class Site(OnDisk):
    """A stack's key, and a host that trusts it."""

    key = Ed25519PrivateKey.generate()
    seal = seal.Seal(SEALING_KEY, "dev", "web-1")

    def setUp(self):
        super().setUp()
        self.signer = self.path("/etc/secured-web/release.pem")
        os.makedirs(os.path.dirname(self.signer))
        with open(self.signer, "w", encoding="utf-8") as opened:
            opened.write(public_pem(self.key))

    def document(self, number, open_files, secret_files=(), **values):
        sealed = self.seal.close(json.dumps(list(secret_files)).encode(), "release")
        document = {"number": number, **OWN, "version": f"v{number}", "files": list(open_files)}
        return {**document, "sealed": base64.b64encode(sealed).decode(), **values}


class Envelope(Site):
    def opened(self, raw):
        return envelope.opened(raw, self.signer, OWN, self.seal.open)

    def refuses(self, reason, raw):
        with self.assertRaisesRegex(files.Refused, reason) as caught:
            self.opened(raw)
        return caught.exception.number

    def test_opens_what_the_stack_has_signed_with_the_secret_files_among_the_others(self):
        raw = signed(self.document(7, [file("/etc/z")], [file(f"{SECRETS}/a", "secret\n", "0600")]), self.key)
        document = self.opened(raw)
        self.assertEqual([document["number"], document["version"]], [7, "v7"])
        self.assertEqual([one["path"] for one in document["files"]], [f"{SECRETS}/a", "/etc/z"])

    def test_refuses_what_is_cut_at_any_place(self):
        raw = signed(self.document(7, [file("/etc/a")]), self.key)
        for end in range(0, len(raw), 11):
            self.refuses("cut|signed", raw[:end])

    def test_refuses_what_is_not_signed_or_by_another_key(self):
        document = self.document(7, [file("/etc/a")])
        self.refuses("stack's key", signed(document, Ed25519PrivateKey.generate()))
        unsigned = {**json.loads(signed(document, self.key)), "signatures": []}
        self.refuses("not signed", json.dumps(unsigned).encode())
        for sig in ["", base64.b64encode(bytes(64)).decode()]:
            self.refuses("stack's key", json.dumps({**unsigned, "signatures": [{"sig": sig}]}).encode())

    def test_refuses_a_changed_byte_of_the_payload_before_it_is_decompressed(self):
        parts = json.loads(signed(self.document(7, [file("/etc/a")]), self.key))
        payload = bytearray(base64.b64decode(parts["payload"]))
        payload[len(payload) // 2] ^= 1
        changed = json.dumps({**parts, "payload": base64.b64encode(payload).decode()}).encode()
        with mock.patch.object(envelope, "decompressed", side_effect=AssertionError("it was decompressed")):
            self.refuses("stack's key", changed)

    def test_refuses_another_type_though_it_is_signed(self):
        self.refuses("type", signed(self.document(7, []), self.key, kind="text/plain"))

    def test_refuses_what_is_for_another_host_or_stack_and_tells_the_number(self):
        for values in ({"host": "web-2"}, {"stack": "prod"}):
            self.assertEqual(self.refuses("is for the", signed(self.document(7, [], **values), self.key)), 7)

    def test_refuses_a_path_that_is_there_twice_in_clear_sealed_or_both(self):
        one, other = file("/etc/a"), file("/etc/a", "other\n")
        secret, changed = file(f"{SECRETS}/a", "1\n", "0600"), file(f"{SECRETS}/a", "2\n", "0600")
        for in_clear, hidden in [([one, other], []), ([], [secret, changed]), ([secret], [changed])]:
            raw = signed(self.document(7, in_clear, hidden), self.key)
            self.assertEqual(self.refuses("same path", raw), 7)

    def test_opens_secret_files_where_only_keys_and_passwords_are(self):
        for path in (f"{SECRETS}/app.password", "/etc/nginx/tls/server.key", "/etc/mysql/tls/server.key"):
            raw = signed(self.document(7, [], [file(path, "secret\n", "0600")]), self.key)
            self.assertEqual([one["path"] for one in self.opened(raw)["files"]], [path])

    def test_refuses_secret_files_elsewhere_because_the_policies_do_not_see_them(self):
        for path in (
            "/etc/nginx/nginx.conf",
            "/etc/nginx/conf.d/more.conf",
            "/etc/nginx/tls/server.pem",
            "/etc/nginx/tls/more/server.key",
            "/etc/mysql/conf.d/more.cnf",
            "/etc/systemd/system/more.service",
            "/etc/systemd/system/more.key",
            "/etc/secured-web/release.pem",
            "/etc/ssh/sshd_config.d/more.conf",
            "/etc/ssh/secured-web-keys/mallory",
            "/etc/secured-web/secrets",
            f"{SECRETS}/more/app.password",
            f"{SECRETS}/../../nginx/nginx.conf",
            "/usr/local/lib/secured-web/setup",
        ):
            raw = signed(self.document(7, [], [file(path, "secret\n", "0600")]), self.key)
            self.assertEqual(self.refuses("path below|sealed", raw), 7, path)
        for mode in ("0644", "0700"):
            raw = signed(self.document(7, [], [file(f"{SECRETS}/a", "#!/bin/sh\n", mode)]), self.key)
            self.assertEqual(self.refuses("mode 0600", raw), 7, mode)

    def test_refuses_secret_files_that_are_sealed_for_another_host(self):
        other = seal.Seal(SEALING_KEY, "dev", "web-2").close(b"[]", "release")
        raw = signed(self.document(7, [], sealed=base64.b64encode(other).decode()), self.key)
        self.assertEqual(self.refuses("sealed", raw), 7)

    def test_refuses_what_is_too_large_whole_or_decompressed(self):
        raw = signed(self.document(7, []), self.key)
        self.refuses("at most", raw + b" " * envelope.OBJECT_LIMIT)
        bomb = self.document(7, [file("/etc/a", "0" * (envelope.DOCUMENT_LIMIT + 1))])
        self.refuses("too large", signed(bomb, self.key))

    def test_refuses_signed_documents_of_a_wrong_form(self):
        self.refuses("gzip", signed({}, self.key, pack=lambda data: data))
        good = self.document(7, [file("/etc/a")])
        for name in good:
            self.refuses("not a release document", signed({k: v for k, v in good.items() if k != name}, self.key))
        for number in (0, -1, "7", 7.5, True, None):
            self.refuses("positive integer", signed({**good, "number": number}, self.key))
        self.assertEqual(self.refuses("path below", signed({**good, "files": [file("/root/x")]}, self.key)), 7)


class Secrets(unittest.TestCase):
    def test_seals_for_one_host_and_use(self):
        own = seal.Seal(SEALING_KEY, "dev", "web-1")
        sealed = own.close(b"text", "status")
        self.assertEqual(own.open(sealed, "status"), b"text")
        for other, use in [(own, "release"), (seal.Seal(SEALING_KEY, "dev", "web-2"), "status")]:
            with self.assertRaises(ValueError):
                other.open(sealed, use)

    def test_takes_secrets_out_of_a_journal(self):
        documents = [{"files": [
            file("/etc/secured-web/secrets/app.password", "Abcdefgh12345\n", "0600"),
            file("/etc/secured-web/secrets/datadog.env", "DD_API_KEY=0123456789abcdef\n", "0600"),
            file("/etc/secured-web/secrets/x.sql", "CREATE USER x IDENTIFIED BY 'Passw0rdPassw0rd';\n", "0600"),
            file("/etc/secured-web/secrets/r.json", json.dumps({"secretAccessKey": "s3cr3t/+key=="}), "0600"),
            file("/etc/secured-web/open", "opentext1234\n"),
        ]}]  # fmt: skip
        values = redact.secret_values(documents)
        for line, expected in [
            ("login Abcdefgh12345 failed", "login [removed] failed"),
            ("key=0123456789abcdef", "key=[removed]"),
            ("by 'Passw0rdPassw0rd'", "by '[removed]'"),
            ("got s3cr3t/+key==", "got [removed]"),
            ("opentext1234 stays", "opentext1234 stays"),
            ("a -----BEGIN X-----\nAAAA\n-----END X----- b", "a [removed] b"),
            ("a -----BEGIN X-----\nAAAA cut", "a [removed]"),
        ]:
            self.assertEqual(redact.redacted(line, values), expected)


class Table(unittest.TestCase):
    TABLE = file(
        "/etc/secured-web/release.d/web",
        "# why\n/etc/nginx/ check nginx -t -q\n/etc/nginx/ reload nginx.service\n/etc/app restart app.service x.service\n"
        "/usr/local/app/package prepare modules.service\nneeds nginx.service app.service\n",
    )

    def plan(self, old, new):
        documents = [{"files": [self.TABLE, *some]} for some in (old, new)]
        return table.plan_of(*documents, *files.changes(*documents))

    def test_a_changed_file_asks_for_what_its_lines_say_and_nothing_else(self):
        plan = self.plan([file("/etc/nginx/a", "1"), file("/etc/app")], [file("/etc/nginx/a", "2"), file("/etc/app")])
        self.assertEqual([plan.checks, plan.reload, plan.restart], [["nginx -t -q"], ["nginx.service"], []])

    def test_a_removed_and_a_new_file_ask_too(self):
        plan = self.plan([file("/etc/app")], [file("/usr/local/app/package.json")])
        self.assertEqual([plan.prepare, plan.restart], [["modules.service"], ["app.service", "x.service"]])

    def test_no_change_asks_for_nothing(self):
        self.assertEqual(self.plan([file("/etc/app")], [file("/etc/app")]), table.Plan())

    def test_a_changed_unit_is_verified_and_restarted_and_a_slice_verified_alone(self):
        units = "/etc/systemd/system/"
        changed = ["nginx.service.d/x.conf", "web.slice", "a.timer", "b.socket", "secured-web-apply.service"]
        plan = self.plan([], [file(units + name) for name in [*changed, "b.service"]] + [file("/etc/nginx/a")])
        self.assertEqual(plan.restart, ["a.timer", "b.service", "b.socket", "nginx.service"])
        self.assertIn("web.slice", plan.verify)
        self.assertEqual(plan.reload, [], "what restarts is not reloaded")

    def test_a_drop_in_of_a_prefix_is_of_every_unit_that_begins_so(self):
        units = [file(f"/etc/systemd/system/{name}") for name in ("sw-a.service", "sw-b.service", "sw-b.socket", "c.service")]
        drop_in = "/etc/systemd/system/sw-.service.d/x.conf"
        plan = self.plan([*units, file(drop_in, "1")], [*units, file(drop_in, "2")])
        self.assertEqual(plan.restart, ["sw-a.service", "sw-b.service"])

    def test_a_unit_that_goes_is_stopped_and_not_restarted(self):
        plan = self.plan([file("/etc/systemd/system/a.service"), file("/etc/systemd/system/b.service.d/x.conf")], [])
        self.assertEqual([plan.stop, plan.restart, plan.verify], [["a.service"], ["b.service"], ["b.service"]])

    def test_names_needed_units(self):
        self.assertEqual(table.needed_units({"files": [self.TABLE]}), ["nginx.service", "app.service"])


class Members(unittest.TestCase):
    A, B, C = "db-1.x", "db-2.x", "db-3.x"

    def view(self, *states, queue=0, read_only=0):
        named = [{"host": name, "state": state} for name, state in zip([self.A, self.B, self.C], states) if state]
        return self.A, [self.A, self.B, self.C], {"readOnly": read_only, "queue": queue, "members": named or None}

    def test_a_member_is_well_where_it_takes_writes_and_all_are_online(self):
        self.assertIsNone(members.trouble(*self.view("ONLINE", "ONLINE", "ONLINE")))
        for reason, view in [
            ("this member is OFFLINE", self.view()),
            ("this member is RECOVERING", self.view("RECOVERING", "ONLINE", "ONLINE")),
            ("takes no write", self.view("ONLINE", "ONLINE", "ONLINE", read_only=1)),
            ("db-3 is not in the group", self.view("ONLINE", "ONLINE", None)),
            ("db-2 is UNREACHABLE", self.view("ONLINE", "UNREACHABLE", "ONLINE")),
        ]:
            self.assertIn(reason, members.trouble(*view))

    def test_mysqld_restarts_only_where_the_group_can_do_without_it(self):
        self.assertIsNone(members.obstacle(*self.view("ONLINE", "ONLINE", "ONLINE")))
        self.assertIn("db-3 is RECOVERING", members.obstacle(*self.view("ONLINE", "ONLINE", "RECOVERING")))
        self.assertIn("4 transactions", members.obstacle(*self.view("ONLINE", "ONLINE", "ONLINE", queue=4)))
        me, _, view = self.view("ONLINE", "ONLINE", None)
        self.assertIn("no majority", members.obstacle(me, [self.A, self.B], view))

    def test_the_list_says_who_must_be_online(self):
        me, configured, view = self.view("ONLINE", "ONLINE", None)
        row = {"admitted": 1, "leaving": 0}
        view["rows"] = [{"host": self.A, **row}, {"host": self.B, **row}, {"host": self.C, **row, "admitted": 0}]
        self.assertIsNone(members.trouble(me, configured, view))
        self.assertEqual(members.status(me, view)["listed"], ["db-1", "db-2"])
        view["rows"][2] = {"host": self.C, "admitted": 1, "leaving": 1}
        self.assertIsNone(members.trouble(me, configured, view))
        view["rows"][2]["leaving"] = 0
        self.assertIn("db-3 is not in the group", members.trouble(me, [self.A], view))
        self.assertIn("db-3 is not in the group", members.obstacle(me, [self.A], view))

    def test_a_member_that_is_out_takes_nothing_away(self):
        for view in (self.view(), self.view("ERROR", "ONLINE", None)):
            self.assertIsNone(members.obstacle(*view))


class Membership(unittest.TestCase):
    """What members write to the list of members."""

    HOSTS = [f"db-{number}.x" for number in range(1, 6)]

    def row(self, host, admitted=1, leaving=0):
        return {"host": host, "admitted": admitted, "leaving": leaving}

    def said(self, me=0, count=3, number=7, online=3, rows=(), newest=7, answering=None, **changed):
        states = [{"host": host, "state": "ONLINE"} for host in self.HOSTS[:online]]
        view = {"readOnly": 0, "members": states, **({"rows": list(rows), "newest": newest} if rows else {}), **changed}
        answering = self.HOSTS[:online] if answering is None else answering
        return membership.statements(self.HOSTS[me], self.HOSTS[:count], number, view, answering)

    def three(self, *more):
        return [self.row(host) for host in self.HOSTS[:3]] + list(more)

    def test_the_first_member_makes_the_list_of_all_that_are_online(self):
        [sql] = self.said()
        self.assertIn("('db-1.x', True), ('db-2.x', True), ('db-3.x', True)", sql)
        self.assertIn("VALUES (1, 7)", sql)
        self.assertEqual(self.said(me=1), [])
        # A host that the release names and that does not answer does not exist yet.
        self.assertIn("('db-3.x', True), ('db-4.x', False), ('db-5.x', False)", self.said(count=5)[0])

    def test_no_list_is_made_while_a_host_is_about_to_join(self):
        self.assertEqual(self.said(online=2, answering=self.HOSTS[:3]), [])

    def test_nothing_is_written_from_outside_of_the_majority_or_without_a_release(self):
        members_of_five = [{"host": host, "state": "UNREACHABLE"} for host in self.HOSTS[2:]]
        members_of_five += [{"host": host, "state": "ONLINE"} for host in self.HOSTS[:2]]
        self.assertEqual(self.said(members=members_of_five), [])
        self.assertEqual(self.said(number=0), [])
        self.assertEqual(self.said(readOnly=1), [])
        self.assertEqual(self.said(me=4), [])

    def test_a_newer_release_names_the_members_and_an_older_one_does_not(self):
        [sql] = self.said(count=5, number=8, rows=self.three())
        self.assertIn("SET number = 8 WHERE id = 1 AND number < 8", sql)
        self.assertIn("VALUES ROW('db-1.x'), ROW('db-2.x'), ROW('db-3.x'), ROW('db-4.x'), ROW('db-5.x')", sql)
        self.assertEqual(self.said(count=5, number=6, rows=self.three()), [])

    def test_a_named_host_is_admitted_when_it_answers(self):
        four = self.three(self.row("db-4.x", admitted=0), self.row("db-5.x", admitted=0))
        self.assertEqual(self.said(count=5, rows=four), [])
        admitted = self.said(count=5, rows=four, answering=self.HOSTS)
        self.assertEqual(admitted, [membership.ADMIT.format(host="db-4.x")], "more than one at a time")

    def test_none_is_admitted_while_a_member_is_away(self):
        rows = self.three(self.row("db-4.x", admitted=0))
        self.assertEqual(self.said(count=5, online=2, rows=rows, answering=self.HOSTS[:4]), [])
        rows = self.three(self.row("db-4.x"), self.row("db-5.x", admitted=0))
        self.assertEqual(self.said(count=5, rows=rows, answering=self.HOSTS), [])

    def test_a_leaving_host_is_forgotten_when_it_has_left(self):
        rows = self.three(self.row("db-4.x", leaving=1), self.row("db-5.x", leaving=1))
        self.assertEqual(self.said(online=4, rows=rows), [membership.FORGET.format(host="db-5.x")])
        self.assertEqual(self.said(online=5, rows=rows), [])
        # It could be admitted again only by a newer release.
        self.assertEqual(self.said(online=4, rows=rows[:4], answering=self.HOSTS), [])

    def test_a_name_that_is_none_is_refused(self):
        with self.assertRaises(ValueError):
            membership.taken(["'); DROP TABLE app.notes; --"], 7)

    def test_only_spaces_word_that_no_group_has_begun_makes_the_mark(self):
        with tempfile.TemporaryDirectory() as root:
            own = {"status": "https://b.nyc3.digitaloceanspaces.com/hosts/db-1", "region": "nyc3"}
            one = membership.Membership(own, {}, root)
            self.assertEqual(one.url, "https://b.nyc3.digitaloceanspaces.com/group")
            mark = os.path.join(root, membership.NEW_STACK)
            os.makedirs(os.path.dirname(one.output()))
            for status, body, is_new in [
                (0, "", False),
                (404, "<Code>NoSuchKey</Code>", False),
                (404, membership.NO_GROUP_YET, False),
                (200, membership.NO_GROUP_YET, True),
                (0, "", True),
                (200, "begun", False),
                (200, "", False),
            ]:

                def get(*args, status=status, body=body):
                    with open(args[-1], "w", encoding="utf-8") as file:
                        file.write(body)
                    return spaces.Answer(status, "", None if status == 200 else f"answers {status}", False)

                with mock.patch.object(membership.spaces, "get", get):
                    one.ask()
                self.assertEqual(os.path.exists(mark), is_new, (status, body))

    def test_tells_spaces_once_that_a_group_has_begun(self):
        with tempfile.TemporaryDirectory() as root:
            one = membership.Membership({"status": "https://b/hosts/db-1", "region": "nyc3"}, {}, root)
            told = []

            def put(url, *_):
                told.append(url)
                return spaces.Answer(0 if len(told) == 1 else 200, "", "timed out" if len(told) == 1 else None, False)

            with mock.patch.object(membership.spaces, "put", put):
                for _ in range(3):
                    one.begun()
            self.assertEqual(told, ["https://b/group"] * 2)


class Accounts(unittest.TestCase):
    """What members write to MySQL's accounts."""

    APP, AGENT = "'app'@'10.0.0.0/20'", "'dd-agent'@'localhost'"
    CREATE = f"CREATE USER IF NOT EXISTS {APP} IDENTIFIED BY 'p1' REQUIRE X509"
    SET = f"ALTER USER {APP} IDENTIFIED BY '{{}}' REQUIRE X509"
    DISCARD = f"ALTER USER {APP} DISCARD OLD PASSWORD"
    RETAIN = f"ALTER USER {APP} IDENTIFIED BY 'p2' RETAIN CURRENT PASSWORD"
    STEADY = [CREATE, DISCARD, SET.format("p1")]
    GRANTS = {"app.*": {"SELECT", "INSERT"}}

    def app(self, statements=(), grants=None):
        return {self.APP: accounts.Account(list(statements or self.STEADY), grants or self.GRANTS)}

    def found(self, made=(), stored="row", recorded="row", grants=None):
        record = {"made": [accounts.digest(one) for one in made or self.STEADY], "stored": recorded}
        return accounts.Found({self.APP: stored}, {self.APP: record}, {self.APP: self.GRANTS if grants is None else grants})

    def changes(self, *arguments):
        """Without the statements that keep the records."""
        todo = accounts.difference(*arguments)
        return [one for one in todo if "secured_web.accounts" not in one]

    def test_reads_the_accounts_of_a_release_in_the_order_of_its_statements(self):
        sql = "\n".join(
            [
                "-- A comment; it has no statement.",
                "SET GLOBAL super_read_only = OFF;",
                f"{self.CREATE};\n{self.DISCARD};\n{self.SET.format('p1')};",
                f"GRANT SELECT, INSERT ON app.*\n  TO {self.APP};",
                f"GRANT PROCESS ON *.* TO {self.AGENT};",
            ]
        )
        statements = accounts.statements_of([file("/etc/secured-web/secrets/accounts.sql", sql), file("/other.sql", sql)])
        self.assertEqual(
            accounts.wanted(statements), {**self.app(), self.AGENT: accounts.Account([], {"*.*": {"PROCESS"}})}
        )

    def test_reads_what_show_grants_prints(self):
        lines = [
            "GRANT USAGE ON *.* TO `app`@`10.0.0.0/20`",
            "GRANT SELECT, INSERT ON `app`.* TO `app`@`10.0.0.0/20`",
            "GRANT REPLICATION SLAVE ON *.* TO `replication`@`%`",
            "GRANT BACKUP_ADMIN,CONNECTION_ADMIN ON *.* TO `replication`@`%` WITH GRANT OPTION",
            "GRANT SELECT ON `performance_schema`.`threads` TO `app`@`10.0.0.0/20`",
        ]
        self.assertEqual(
            accounts.shown(lines),
            {
                self.APP: {"app.*": {"SELECT", "INSERT"}, "performance_schema.threads": {"SELECT"}},
                "'replication'@'%'": {
                    "*.*": {"REPLICATION SLAVE", "BACKUP_ADMIN", "CONNECTION_ADMIN", "GRANT OPTION"}
                },
            },
        )

    def test_nothing_is_written_where_all_is_as_it_was_made(self):
        self.assertEqual(accounts.difference(self.app(), self.found()), [])

    def test_what_was_never_recorded_or_was_changed_since_is_made_again(self):
        empty = accounts.Found({}, {}, {})
        self.assertEqual(self.changes(self.app(), empty), [*self.STEADY, f"GRANT INSERT, SELECT ON app.* TO {self.APP}"])
        self.assertEqual(self.changes(self.app(), self.found(stored="another")), self.STEADY)
        self.assertIn("REPLACE INTO secured_web.accounts", accounts.difference(self.app(), empty)[-1])

    def test_a_rotation_adds_a_password_and_sets_no_other(self):
        both = [*self.STEADY, self.RETAIN]
        self.assertEqual(self.changes(self.app(both), self.found()), [self.RETAIN])
        self.assertEqual(self.changes(self.app(both), self.found(both)), [])
        ended = [self.CREATE.replace("p1", "p2"), self.DISCARD, self.SET.format("p2")]
        self.assertEqual(self.changes(self.app(ended), self.found(both)), ended)

    def test_a_privilege_is_given_before_another_is_taken(self):
        found = self.found(grants={"app.*": {"SELECT", "DELETE"}, "mysql.*": {"SELECT"}})
        self.assertEqual(
            self.changes(self.app(), found),
            [
                f"GRANT INSERT ON app.* TO {self.APP}",
                f"REVOKE IF EXISTS DELETE ON app.* FROM {self.APP}",
                f"REVOKE IF EXISTS SELECT ON mysql.* FROM {self.APP}",
            ],
        )

    def test_an_account_that_no_release_names_any_more_is_dropped_and_one_of_somebody_else_stays(self):
        found = self.found()
        found.stored["'somebody'@'%'"] = "row"
        found.records[self.AGENT] = {"made": [], "stored": "row"}
        self.assertEqual(self.changes(self.app(), found), [f"DROP USER IF EXISTS {self.AGENT}"])

    def turn(self, one, me=0, number=7, newest=7, now=100.0, old_tables=False, **changed):
        """The statements that a member's turn writes, where the accounts differ."""
        hosts = [f"db-{count}.x" for count in range(1, 4)]
        view = {"readOnly": 0, "newest": newest, "members": [{"host": host, "state": "ONLINE"} for host in hosts], **changed}
        running = {"number": number, "files": [file("/etc/secured-web/secrets/accounts.sql", f"{self.CREATE};")]}
        tables = {accounts.KEY_IS_MISSING: "1" if old_tables else "0", accounts.BEATS: "0" if old_tables else "1"}
        asked = mock.Mock(side_effect=lambda sql, limit_s=0: tables.get(sql, ""))
        with (
            mock.patch.object(accounts, "found", return_value=accounts.Found({}, {}, {})),
            mock.patch.object(accounts, "ask", asked),
            mock.patch("builtins.print"),
        ):
            one.turn((hosts[me], hosts, view), running, now)
        done = [call.args[0] for call in asked.call_args_list]
        return [sql for sql in done if sql not in tables]

    def test_tables_of_an_earlier_version_get_what_the_release_has_beyond_them(self):
        with tempfile.NamedTemporaryFile("w") as schema, mock.patch.object(accounts, "SCHEMA", schema.name):
            schema.write("CREATE beats;\n")
            schema.flush()
            [sql] = self.turn(accounts.Accounts(), old_tables=True)
        self.assertTrue(sql.endswith(f";\n{accounts.ADD_KEY};\nCREATE beats"))

    def test_members_write_one_after_another_and_only_those_with_the_newest_release(self):
        one = accounts.Accounts()
        self.assertIsNotNone(one.trouble(6))
        self.assertEqual(self.turn(one, number=6), [])
        self.assertIsNone(one.trouble(6))
        self.assertEqual(self.turn(one, number=8), [])
        self.assertIsNotNone(one.trouble(8))
        [sql] = self.turn(one)
        self.assertTrue(sql.startswith(self.CREATE))
        self.assertIsNotNone(one.trouble(7))
        second = accounts.Accounts()
        self.assertEqual(self.turn(second, me=1), [])
        self.assertEqual(self.turn(second, me=1, now=119.0), [])
        self.assertEqual(len(self.turn(second, me=1, now=120.0)), 1)

    def test_a_member_compares_once_a_minute_and_at_once_with_another_release(self):
        one = accounts.Accounts()
        with mock.patch.object(accounts, "difference", return_value=[]) as compared:
            for now, number in ((100.0, 7), (103.0, 7), (161.0, 7), (164.0, 8)):
                self.turn(one, now=now, number=number, newest=number)
                self.assertIsNone(one.trouble(number))
        self.assertEqual(compared.call_count, 3)

    def test_what_fails_is_tried_again_in_the_next_turn_and_the_host_is_not_well_meanwhile(self):
        one = accounts.Accounts()
        with mock.patch.object(accounts, "statements_of", side_effect=OSError), self.assertRaises(OSError):
            self.turn(one)
        self.assertIsNotNone(one.trouble(7))
        self.assertEqual(len(self.turn(one, now=103.0)), 1)

    def test_a_host_without_a_release_and_a_group_without_a_list_write_nothing(self):
        for number, newest in ((0, None), (7, None)):
            one = accounts.Accounts()
            self.assertEqual(self.turn(one, number=number, newest=newest), [])
            self.assertIsNotNone(one.trouble(number))

    def test_a_member_that_takes_no_writes_or_has_no_majority_writes_nothing(self):
        alone = [{"host": "db-1.x", "state": "ONLINE"}, {"host": "db-2.x", "state": "UNREACHABLE"}]
        for changed in ({"readOnly": 1}, {"members": alone}, {"members": None}):
            self.assertEqual(self.turn(accounts.Accounts(), **changed), [])

    def test_a_members_own_credentials_are_set_where_they_are_others(self):
        change = (
            "CHANGE REPLICATION SOURCE TO SOURCE_USER = 'replication', SOURCE_PASSWORD = 'p2' "
            "FOR CHANNEL 'group_replication_recovery'"
        )
        for stored, expected in (("p2", []), ("p1", [change])):
            asked = mock.Mock(return_value=json.dumps({"SOURCE_USER": "replication", "SOURCE_PASSWORD": stored}))
            with mock.patch.object(accounts, "ask", asked):
                accounts.Accounts().keep_credentials([self.CREATE, change])
            self.assertEqual([call.args[0] for call in asked.call_args_list][1:], expected)


class Verdicts(OnDisk):
    def health_env(self, members):
        files.write_files(self.root, [file("/etc/secured-web/health.env", f"REPLICATION=group\nMEMBERS={members}\n")])

    def test_names_the_members_that_the_health_checks_keep_out_and_why(self):
        self.health_env("db-1.internal=33061,db-2.internal=33062,db-3.internal=33063")
        answers = {33061: None, 33062: "OFFLINE", 33063: ""}
        seen = verdicts.look(self.root, answers.get)
        self.assertEqual(seen, {"db-1.internal": None, "db-2.internal": "OFFLINE", "db-3.internal": ""})

    def test_a_host_without_health_checks_says_nothing(self):
        self.assertIsNone(verdicts.look(self.root))

    def test_sends_each_verdict_to_the_agent(self):
        path = self.path("/dsd.socket")
        with socket.socket(socket.AF_UNIX) as agent:
            agent.bind(path)
            agent.listen()
            verdicts.send({"db-1.internal": None, "db-2.internal": "OFFLINE"}, path)
            connection, _ = agent.accept()
            with connection:
                frame = connection.makefile("rb").read()
        lines = ["secured_web.member.serves:1|g|#member:db-1.internal", "secured_web.member.serves:0|g|#member:db-2.internal"]
        self.assertEqual(frame, len("\n".join(lines)).to_bytes(4, "little") + "\n".join(lines).encode())

    def test_are_in_each_status_and_are_no_reason_to_write_one(self):
        poller = poll.Poller.__new__(poll.Poller)
        poller.own, poller.keys, poller.seal = {"status": "https://status", "region": "r"}, {}, mock.Mock()
        poller.seal.close.side_effect = lambda text, use: text
        poller.well, poller.looked_at, poller.told, poller.told_at, poller.troubles = (), poll.time.monotonic(), None, 0.0, {}
        written = []

        def put(url, keys, region, body, output):
            written.append(json.loads(base64.b64decode(body))["unfit"])
            return mock.Mock(trouble=None)

        seen = {"db-1.internal": None}
        with (
            mock.patch.multiple(poller, base=lambda: {}, judged=lambda outcome: outcome, group=lambda: {}),
            mock.patch.object(poll, "supervisor", lambda: {}),
            mock.patch.object(poll.verdicts, "look", lambda root: seen),
            mock.patch.object(poll.verdicts, "send", mock.Mock(side_effect=OSError)),
            mock.patch.object(poll.spaces, "put", put),
        ):
            poller.tell({"outcome": "well"})
            seen["db-1.internal"] = "no free connection"
            poller.tell({"outcome": "well"})
            self.assertEqual(written, [[]])
            poller.told_at -= poll.STATUS_S
            poller.tell({"outcome": "well"})
        self.assertEqual(written, [[], [{"host": "db-1.internal", "reason": "no free connection"}]])

    def test_asks_the_ports_that_haproxy_asks(self):
        for status, said, expected in [
            (200, b"ONLINE", None),
            (503, b"no free connection", "no free connection"),
            (503, b"ONLINE", "ONLINE again, not long enough"),
        ]:
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self, status=status, said=said):
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(said + b"\n")

                def log_message(self, *_):
                    pass

            with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
                threading.Thread(target=server.handle_request).start()
                self.assertEqual(verdicts.verdict(server.server_port), expected)
        self.assertEqual(verdicts.verdict(server.server_port), "the health check does not answer")


class Spaces(unittest.TestCase):
    ACCESS = {"accessKeyId": "DO00", "secretAccessKey": "a/b+c="}

    def test_the_secret_is_in_the_configuration_alone(self):
        with mock.patch.object(spaces.subprocess, "run") as run:
            run.return_value = types.SimpleNamespace(returncode=0, stdout='304\n"e"\n\n', stderr="")
            answer = spaces.get("https://b/k", self.ACCESS, "nyc3", '"e"', "/dev/null")
        self.assertEqual([answer.status, answer.trouble], [304, None])
        self.assertNotIn("a/b+c=", " ".join(run.call_args.args[0]))
        self.assertIn('user = "DO00:a/b+c="', run.call_args.kwargs["input"])
        self.assertIn('header = "If-None-Match: \\"e\\""', run.call_args.kwargs["input"])

    def test_refuses_values_that_would_be_other_settings(self):
        for bad in ('x"\nurl = "y', "x\\"):
            with self.assertRaises(ValueError):
                spaces.config_text({**self.ACCESS, "secretAccessKey": bad}, "nyc3", {})

    def test_a_wrong_clock_is_named(self):
        with tempfile.NamedTemporaryFile("w") as body:
            body.write("<Error><Code>RequestTimeTooSkewed</Code></Error>")
            body.flush()
            said = spaces.trouble_of(403, "Mon, 01 Jan 2024 00:00:00 GMT", body.name)
            self.assertRegex(said, r"clock is wrong by \d+ minutes")
            self.assertEqual(spaces.trouble_of(503, "", "/dev/null"), "Spaces answers 503")


class Authority:
    """A CA of the same name as every other one here, as during a rotation."""

    NAME = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "internal CA")])
    BEGIN = datetime.datetime(2026, 1, 1)
    END = datetime.datetime(2036, 1, 1)

    def __init__(self):
        self.key = Ed25519PrivateKey.generate()
        self.id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = x509.CertificateBuilder().subject_name(self.NAME).issuer_name(self.NAME).serial_number(1)
        builder = builder.not_valid_before(self.BEGIN).not_valid_after(self.END).public_key(self.key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
        self.certificate = self.pem(builder.sign(self.key, None))

    def list(self, number):
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.NAME)
        builder = builder.last_update(self.BEGIN).next_update(self.END)
        builder = builder.add_extension(self.id, False).add_extension(x509.CRLNumber(number), False)
        return self.pem(builder.sign(self.key, None))

    @staticmethod
    def pem(one):
        return one.public_bytes(serialization.Encoding.PEM).decode()


class Revoked(OnDisk):
    def setUp(self):
        super().setUp()
        self.ca, self.next_ca, self.foreign = Authority(), Authority(), Authority()
        self.asked = []
        self.sessions = ""
        self.spaces = []
        for target, name, value in [(revoked, "ROOT", self.root), (revoked, "ask", self.ask), (spaces, "get", self.get)]:
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        os.makedirs(self.path(f"/{files.STATE}"))
        self.put(revoked.AUTHORITIES, self.ca.certificate)
        self.put(revoked.LISTS, self.ca.list(1))
        self.put(revoked.OF_MYSQLD, self.ca.list(1))
        self.put(revoked.PID, "7")
        os.utime(self.path(revoked.PID), (1, 1))
        self.one = revoked.Revoked({"releases": "https://b/hosts/db-1.json", "region": "nyc3"}, {})
        self.now = 0

    def put(self, path, text):
        files.write(self.path(path), text, 0o644)

    def ask(self, statements, *_):
        self.asked.append(statements)
        return "41" if "CONNECTION_ID" in statements else self.sessions if "processlist" in statements else ""

    def get(self, url, _keys, _region, etag, output):
        self.assertEqual(url, "https://b/revoked.pem")
        text = self.spaces[0] if self.spaces else None
        if text is None:
            return spaces.Answer(503, "", "Spaces answers 503", False)
        if etag == str(hash(text)):
            return spaces.Answer(304, etag, None, False)
        with open(output, "w", encoding="utf-8") as opened:
            opened.write(text)
        return spaces.Answer(200, str(hash(text)), None, False)

    def turn(self, text):
        self.spaces = [text]
        self.now += revoked.LOOK_S
        self.one.turn(self.now)
        return self.text(revoked.LISTS)

    def test_takes_for_each_authority_the_newest_list_that_it_has_signed(self):
        both = self.ca.certificate + self.next_ca.certificate
        texts = [self.ca.list(5) + self.next_ca.list(2), self.ca.list(4) + self.next_ca.list(3) + self.foreign.list(9)]
        self.assertEqual(revoked.newest(both, texts), self.ca.list(5) + self.next_ca.list(3))
        self.assertEqual(revoked.newest(self.ca.certificate, texts), self.ca.list(5))
        self.assertEqual(revoked.newest(self.ca.certificate, [self.foreign.list(9), "no list"]), "")

    def test_a_list_that_was_changed_after_its_signature_is_not_taken(self):
        lines = self.ca.list(9).splitlines(keepends=True)
        lines[1] = lines[1][:-8] + ("AAAA" if lines[1][-8:-4] != "AAAA" else "BBBB") + lines[1][-4:]
        self.assertEqual(revoked.newest(self.ca.certificate, ["".join(lines)]), "")

    def test_a_newer_list_in_spaces_goes_to_programs_and_to_mysqld_once(self):
        self.assertEqual(self.turn(self.ca.list(2)), self.ca.list(2))
        self.assertEqual(self.text(revoked.OF_MYSQLD), self.ca.list(2))
        self.assertEqual(len(self.asked), 1)
        self.assertIn("ALTER INSTANCE RELOAD TLS", self.asked[0])
        self.turn(self.ca.list(2))
        self.assertEqual(len(self.asked), 1)

    def test_an_older_list_in_spaces_and_one_of_another_authority_change_nothing(self):
        self.turn(self.ca.list(2))
        self.assertEqual(self.turn(self.ca.list(1)), self.ca.list(2))
        self.assertEqual(self.turn(self.foreign.list(9)), self.ca.list(2))
        self.assertEqual(self.turn(""), self.ca.list(2))

    def test_a_release_that_is_undone_does_not_bring_a_former_list_back(self):
        self.turn(self.ca.list(2))
        self.put(revoked.LISTS, self.ca.list(1))
        self.put(revoked.OF_MYSQLD, self.ca.list(1))
        self.turn(self.ca.list(2))
        self.assertEqual([self.text(path) for path in (revoked.LISTS, revoked.OF_MYSQLD)], [self.ca.list(2)] * 2)

    def test_a_list_that_a_release_brings_is_loaded_too(self):
        self.turn(self.ca.list(1))
        for path in (revoked.LISTS, revoked.OF_MYSQLD):
            self.put(path, self.ca.list(3))
        self.turn(self.ca.list(1))
        self.assertEqual(len(self.asked), 2)
        self.assertEqual(self.text(revoked.LISTS), self.ca.list(3))

    def test_without_spaces_the_host_goes_on_with_its_lists_and_says_so(self):
        with self.assertRaisesRegex(ValueError, "503"):
            self.turn(None)
        self.assertEqual(self.text(revoked.LISTS), self.ca.list(1))
        self.assertEqual(len(self.asked), 1, "mysqld has loaded the list of its start")

    def test_a_host_without_mysqld_has_none_for_it(self):
        os.unlink(self.path(revoked.OF_MYSQLD))
        self.turn(self.ca.list(2))
        self.assertEqual([self.asked, os.path.exists(self.path(revoked.OF_MYSQLD))], [[], False])

    def test_what_mysqld_did_not_load_it_loads_in_the_next_turn(self):
        with mock.patch.object(revoked, "ask", side_effect=ValueError("away")):
            with self.assertRaisesRegex(ValueError, "away"):
                self.turn(self.ca.list(2))
        self.turn(self.ca.list(2))
        self.assertEqual(len(self.asked), 1)

    def aged(self, seconds):
        past = os.stat(self.path(revoked.LAST)).st_mtime - seconds
        os.utime(self.path(revoked.LAST), (past, past))

    def test_sessions_from_before_the_list_end_when_an_application_has_renewed_its_own(self):
        self.turn(self.ca.list(2))
        self.sessions = "KILL 12;\nKILL 40;"
        self.aged(revoked.GRACE_S - 5)
        self.turn(self.ca.list(2))
        self.assertEqual(len(self.asked), 1, "too early")
        self.aged(6)
        self.turn(self.ca.list(2))
        self.assertTrue(self.asked[1].endswith("USER = 'app' AND ID < 41"), self.asked[1])
        self.assertEqual(self.asked[2:], ["KILL 12;\nKILL 40;"])
        self.turn(self.ca.list(2))
        self.assertEqual(len(self.asked), 3, "once")

    def test_a_mysqld_that_has_started_since_has_no_such_session(self):
        self.turn(self.ca.list(2))
        self.aged(revoked.GRACE_S + 1)
        os.utime(self.path(revoked.PID))
        self.turn(self.ca.list(2))
        self.assertEqual([len(self.asked), os.path.exists(self.path(revoked.LAST))], [1, False])


class Program(unittest.TestCase):
    def test_takes_the_program_of_a_release_and_nothing_else(self):
        folder = program.FOLDER
        running = {"number": 0, "files": [file("/etc/a", "old"), file(f"{folder}files.py", "1")]}
        later = [file("/etc/secured-web/release.d/web"), file(f"{folder}files.py", "2"), file(f"{folder}poll.py")]
        new = [file("/etc/a", "new"), file("/etc/b"), *later]
        written, completed = program.completed(running, {"number": 7, "files": new})
        self.assertEqual(written, later)
        self.assertEqual(completed, {"number": 0, "files": [file("/etc/a", "old"), *written]})


class Killed(BaseException):
    """The host lost its power here."""


class FakeHost:
    """A host whose steps may fail or be cut, and which tells what was done to it."""

    def __init__(self):
        self.done = []
        self.fails = {}

    def step(self, name):
        self.done.append(name)
        error = self.fails.get(name)
        if error:
            raise error

    def stop(self, plan):
        self.step("stop")

    def setup(self):
        self.step("setup")

    def act(self, plan, since):
        self.step("act")

    def wait_for_turn(self, plan):
        self.step("turn")

    def wait_until_well(self, document):
        self.step(f"well {document['number']}")

    def journal_of(self, unit):
        return [f"{unit} says OldPassword1 and NewPassword1"]


class Apply(Site):
    OLD = [file("/etc/kept"), file("/etc/a", "old\n"), file("/etc/gone")]
    NEW = [file("/etc/kept"), file("/etc/a", "new\n"), file("/etc/added")]
    SECRETS = {"accessKeyId": "x", "secretAccessKey": "y", "sealingKey": SEALING_KEY}

    def setUp(self):
        super().setUp()
        self.host = FakeHost()
        self.checker = types.SimpleNamespace(stage=checks.stage, clear=checks.clear, check=lambda *_: self.host.step("check"))
        files.save(self.root, files.OWN, OWN)
        files.save(self.root, files.KEYS, self.SECRETS)
        secret = file(f"{SECRETS}/a", "OldPassword1\n", "0600")
        running = {"number": 5, **OWN, "version": "v5", "files": files.checked([*self.OLD, secret])}
        files.write_files(self.root, running["files"])
        files.save(self.root, files.RUNNING, running)

    def fetched(self, number=7, of_files=NEW, **values):
        secret = file(f"{SECRETS}/a", "NewPassword1\n", "0600")
        document = self.document(number, of_files, [secret], **values)
        with open(self.path(apply.FETCHED), "wb") as opened:
            opened.write(signed(document, self.key))

    def run_once(self):
        """Runs as systemd does. True where it came to its end."""
        real = apply.Apply.killed_by_test

        def killed(program, step):
            if self.kill_at == step:
                self.kill_at = None
                raise Killed
            real(program, step)

        with mock.patch.object(apply.Apply, "killed_by_test", killed), mock.patch("builtins.print"):
            try:
                apply.Apply(self.root, self.host, self.checker).run()
            except Killed:
                return False
        return True

    kill_at = None

    def state(self):
        """The number whose files are all in their places, and no others."""
        trees = {5: ("old\n", "OldPassword1\n", "/etc/gone"), 7: ("new\n", "NewPassword1\n", "/etc/added")}
        found = (self.text("/etc/a"), self.text(f"{SECRETS}/a"), *[p for p in ("/etc/gone", "/etc/added") if os.path.exists(self.path(p))])
        whole = [number for number, tree in trees.items() if tree == found]
        return whole[0] if whole else found

    def kept(self):
        return sorted(os.listdir(self.path(files.STATE)))

    def outcome(self):
        return files.load(self.root, apply.OUTCOME)

    def running(self):
        return files.load(self.root, files.RUNNING)["number"]

    def test_a_good_release_is_switched_to_set_up_acted_on_and_waited_for(self):
        self.fetched()
        self.assertTrue(self.run_once())
        self.assertEqual(self.host.done, ["check", "turn", "stop", "setup", "act", "well 7"])
        self.assertEqual([self.state(), self.running()], [7, 7])
        self.assertEqual(self.outcome(), {"wanted": 7, "outcome": "well"})
        self.assertEqual(self.kept(), ["fetched", "outcome.json", "running.json"])

    def test_the_same_files_change_nothing_and_give_their_number(self):
        secret = file(f"{SECRETS}/a", "OldPassword1\n", "0600")
        document = self.document(7, self.OLD, [secret])
        with open(self.path(apply.FETCHED), "wb") as opened:
            opened.write(signed(document, self.key))
        self.run_once()
        self.assertEqual([self.host.done, self.running(), self.outcome()["outcome"]], [[], 7, "well"])

    def test_an_older_release_is_refused(self):
        self.fetched(4)
        self.run_once()
        self.assertEqual([self.state(), self.running(), self.host.done], [5, 5, []])
        self.assertRegex(self.outcome()["cause"], "older than 5")

    def test_what_a_check_refuses_is_not_switched_to(self):
        self.host.fails["check"] = files.Refused("nginx -t refuses: OldPassword1")
        self.fetched()
        self.run_once()
        self.assertEqual([self.state(), self.running(), self.host.done], [5, 5, ["check"]])
        self.assertEqual(self.kept(), ["failed.json", "fetched", "outcome.json", "running.json"])
        self.assertEqual(
            self.outcome(), {"wanted": 7, "outcome": "refused", "step": "check", "cause": "nginx -t refuses: [removed]"}
        )

    def test_a_full_disk_changes_nothing_and_is_tried_again(self):
        self.fetched()
        with mock.patch.object(apply.shutil, "disk_usage", return_value=types.SimpleNamespace(free=1024)):
            self.run_once()
        self.assertEqual([self.state(), self.outcome()["outcome"], self.outcome()["step"]], [5, "refused", "stage"])
        self.assertRegex(self.outcome()["cause"], "disk is full")
        with mock.patch.object(files.os, "fsync", side_effect=OSError(28, "No space left on device")):
            with self.assertRaises(OSError):
                files.write(self.path("/etc/x"), "x", 0o644)
        self.run_once()
        self.assertEqual([self.state(), self.running()], [7, 7])

    def test_a_group_that_is_not_whole_is_waited_for_and_tried_again(self):
        self.host.fails["turn"] = host.Failed("db-2 is OFFLINE", "mysql.service")
        self.fetched()
        self.run_once()
        self.assertEqual([self.state(), self.outcome()["outcome"], self.outcome()["step"]], [5, "refused", "restart"])
        self.host.fails = {}
        self.run_once()
        self.assertEqual([self.state(), self.running()], [7, 7])

    def test_each_step_that_fails_is_undone_and_the_number_is_not_tried_again(self):
        for name, step in [("setup", "setup"), ("act", "restart"), ("well 7", "well")]:
            with self.subTest(name):
                self.setUp()
                self.host.fails[name] = host.Failed(f"{name} failed", "app.service")
                real = FakeHost.step

                def once(fake, step, name=name):
                    try:
                        real(fake, step)
                    finally:
                        if step == name:
                            fake.fails = {}

                self.fetched()
                with mock.patch.object(FakeHost, "step", once):
                    self.run_once()
                self.assertEqual([self.state(), self.running()], [5, 5])
                outcome = self.outcome()
                self.assertEqual([outcome["outcome"], outcome["wanted"], outcome["step"]], ["undone", 7, step])
                self.assertEqual([outcome["cause"], outcome["unit"]], [f"{name} failed", "app.service"])
                self.assertEqual(outcome["journal"], ["app.service says [removed] and [removed]"])
                self.host.done = []
                self.run_once()
                self.assertEqual([self.host.done, self.outcome()], [[], outcome])
                self.fetched(8)
                self.run_once()
                self.assertEqual([self.state(), self.running()], [7, 8])

    def test_killed_at_each_step_it_ends_on_a_whole_release(self):
        forward = ["verify", "stage", "check", "restart", "switch", "setup", "well", "commit", "committed"]
        for kill_at in forward:
            with self.subTest(kill_at):
                self.setUp()
                self.fetched()
                self.kill_at = kill_at
                self.assertFalse(self.run_once())
                self.assertTrue(self.run_once())
                self.assertEqual([self.state(), self.running(), self.outcome()["outcome"]], [7, 7, "well"])

    def test_killed_between_any_two_files_it_ends_on_a_whole_release(self):
        for count in range(1, 4):
            with self.subTest(count):
                self.setUp()
                self.fetched()
                real, calls = files.write, []

                def cut(target, *rest, real=real, calls=calls, count=count):
                    real(target, *rest)
                    calls.extend([target] if "/etc/" in target and "staged" not in target else [])
                    if len(calls) == count:
                        calls.append("killed")
                        raise Killed

                with mock.patch.object(files, "write", cut):
                    self.assertFalse(self.run_once())
                if count < 3:
                    self.assertNotIn(self.state(), (5, 7), "the files are of both")
                self.assertTrue(self.run_once())
                self.assertEqual([self.state(), self.running()], [7, 7])

    def test_killed_on_the_way_back_it_goes_on_back(self):
        for kill_at in ["back-switch", "back-setup", "back-restart", "back-well"]:
            with self.subTest(kill_at):
                self.setUp()
                self.host.fails["well 7"] = host.Failed("not well", "app.service")
                self.fetched()
                self.kill_at = kill_at
                self.assertFalse(self.run_once())
                self.assertTrue(self.run_once())
                self.assertEqual([self.state(), self.running(), self.outcome()["outcome"]], [5, 5, "undone"])
                self.assertEqual(self.outcome()["cause"], "not well")

    def test_a_release_that_stops_the_host_twice_is_undone(self):
        self.fetched()
        for _ in range(apply.TRIES):
            self.kill_at = "setup"
            self.assertFalse(self.run_once())
        self.assertTrue(self.run_once())
        self.assertEqual([self.state(), self.running(), self.outcome()["outcome"]], [5, 5, "undone"])

    def test_a_bad_object_is_refused_without_a_number_and_a_good_one_follows(self):
        with open(self.path(apply.FETCHED), "wb") as opened:
            opened.write(b"{")
        self.run_once()
        self.assertEqual([self.outcome()["wanted"], self.outcome()["outcome"], self.state()], [0, "refused", 5])
        self.fetched()
        self.run_once()
        self.assertEqual([self.state(), self.outcome()["outcome"]], [7, "well"])


if __name__ == "__main__":
    unittest.main()
