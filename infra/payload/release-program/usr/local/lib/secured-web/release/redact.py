"""Takes a host's secrets out of a text."""

import re

# Shorter words are no passwords, and may be part of any other word.
SHORTEST = 8
PEM = re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.DOTALL)


def secret_values(documents):
    """The texts that must not be shown: of each file that root alone may read, its lines, words and quoted texts."""
    values = set()
    for file in (file for document in documents if document for file in document["files"]):
        if int(file["mode"], 8) & 0o077:
            continue
        for line in file["content"].splitlines():
            values.add(line.strip())
            values.update(re.split(r"[\s'\",;]+", line))
            values.update(re.split("['\"]", line))
            values.add(line.partition("=")[2].strip())
    return sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True)


def redacted(text, values):
    text = PEM.sub("[removed]", text)
    for value in values:
        text = text.replace(value, "[removed]")
    return text
