"""The object that a host fetches: a DSSE envelope (github.com/secure-systems-lab/dsse) around its release.

Nothing of the payload is decompressed or parsed before openssl has verified the signature with the stack's key.
"""

import base64
import binascii
import json
import os
import re
import subprocess
import tempfile
import zlib

from files import Refused, checked

TYPE = "application/vnd.secured-web.release.v1+gzip"
OBJECT_LIMIT = 1024 * 1024
# What an object of the limit's size may hold; a compressed bomb holds more.
DOCUMENT_LIMIT = 16 * 1024 * 1024
# Keys and passwords (infra/releases/sealedPaths.ts). The policies do not see sealed files, so nothing else is sealed.
SEALED = "/etc/secured-web/secrets/[^/]+|/etc/(nginx|mysql)/tls/[^/]+[.]key|/etc/ssh/secured-web-host[.]key"


def payload_of(raw, key_file):
    """The payload's bytes, which the stack has signed. Raises Refused."""
    if len(raw) > OBJECT_LIMIT:
        raise Refused(f"the object has {len(raw)} bytes, and a release has at most {OBJECT_LIMIT}")
    try:
        envelope = json.loads(raw)
        kind = envelope["payloadType"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as error:
        raise Refused("the object is cut, or is no release: it is not an envelope in JSON") from error
    if kind != TYPE:
        raise Refused(f"expected an object of the type {TYPE}, got another type")
    if not signatures:
        raise Refused("the release is not signed")
    signed = b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)
    if not any(verifies(signed, signature, key_file) for signature in signatures[:4]):
        raise Refused("the release is not signed with this stack's key (/etc/secured-web/release.pem)")
    return payload


def verifies(signed, signature, key_file):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("signed", "signature")]
        for path, content in zip(paths, (signed, signature)):
            with open(path, "wb") as file:
                file.write(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key_file, "-rawin"]
        command += ["-in", paths[0], "-sigfile", paths[1]]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def decompressed(payload):
    try:
        stream = zlib.decompressobj(wbits=31)
        text = stream.decompress(payload, DOCUMENT_LIMIT)
    except zlib.error as error:
        raise Refused("the release's payload is not compressed with gzip") from error
    if not stream.eof:
        raise Refused("the release's payload is cut, or too large")
    return text


def checked_secrets(secrets):
    for file in secrets:
        if not re.fullmatch(SEALED, file["path"]) or file["mode"] != "0600":
            raise Refused(f"expected only keys and passwords of mode 0600 to be sealed, got {file['path']}")


def opened(raw, key_file, own, opener):
    """The release in an object, with its secret files among the others.

    own: {"stack", "host"} of this host; opener: (bytes, use) -> the bytes that were sealed for this host. Raises
    Refused.
    """
    try:
        document = json.loads(decompressed(payload_of(raw, key_file)))
        number = document["number"]
        names = {name: document[name] for name in ("stack", "host")}
        listed = list(document["files"])
        sealed = base64.b64decode(document["sealed"], validate=True)
        version = str(document["version"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("the release is signed, but it is not a release document") from error
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise Refused("expected the release's number to be a positive integer")
    for name, value in names.items():
        if value != own[name]:
            raise Refused(f"the release is for the {name} {value}, and this is {own[name]}", number)
    try:
        secrets = json.loads(opener(sealed, "release"))
        merged = checked(listed + secrets)
        checked_secrets(secrets)
        return {"number": number, **names, "version": version, "files": merged}
    except Refused as refused:
        raise Refused(str(refused), number) from refused
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused("the release's secret files are not sealed for this host", number) from error
