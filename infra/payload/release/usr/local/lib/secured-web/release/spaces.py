"""One request to Spaces, by curl, signed by it (AWS Signature Version 4)."""

import collections
import re
import subprocess
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from envelope import OBJECT_LIMIT

TOO_LARGE = 63  # CURLE_FILESIZE_EXCEEDED
LIMIT_S = 20

# status: 0 without an answer; trouble: why it is neither 200 nor 304, in words, or None.
Answer = collections.namedtuple("Answer", "status etag trouble too_large")


def config_text(access, region, lines):
    """curl's configuration, for its standard input: arguments can be read by everybody."""
    user = f"{access['accessKeyId']}:{access['secretAccessKey']}"
    settings = {"user": user, "aws-sigv4": f"aws:amz:{region}:s3", **lines}
    for name, value in settings.items():
        if re.search(r'["\\\r\n]', value.replace('\\"', "")):
            raise ValueError(f"{name}: expected no quote and no line break")
    return "".join(f'{name} = "{value}"\n' for name, value in settings.items())


def call(url, config, output):
    command = ["curl", "--silent", "--show-error", "--proto", "=https", "--connect-timeout", "5"]
    command += ["--max-time", str(LIMIT_S), "--max-filesize", str(OBJECT_LIMIT), "--output", output]
    command += ["--write-out", "%{http_code}\n%header{etag}\n%header{date}\n", "--config", "-", url]
    done = subprocess.run(command, input=config, capture_output=True, text=True, timeout=LIMIT_S + 10, check=False)
    status, etag, date = (done.stdout.split("\n") + [""] * 3)[:3]
    if done.returncode != 0:
        reason = re.sub(r"^curl: \(\d+\) ", "", done.stderr.strip())
        # Milliseconds and byte counts change from time to time, and the reason does not.
        reason = re.sub(r" after \d+ (?:ms|milliseconds).*", "", reason)
        return Answer(0, "", reason or f"curl ended with {done.returncode}", done.returncode == TOO_LARGE)
    return Answer(int(status), etag, trouble_of(int(status), date, output), False)


def trouble_of(status, date, output):
    if status in (200, 304):
        return None
    with open(output, encoding="utf-8", errors="replace") as file:
        code = re.search(r"<Code>(\w+)</Code>", file.read(4096))
    if code and code[1] == "RequestTimeTooSkewed":
        return f"this host's clock is wrong{difference(date)}, so Spaces refuses its requests. See: chronyc tracking"
    return f"Spaces answers {status}{f' ({code[1]})' if code else ''}"


def difference(date):
    try:
        seconds = (datetime.now(timezone.utc) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return ""
    return f" by {abs(seconds) / 60:.0f} minutes"


def get(url, access, region, etag, output):
    """Fetches an object into a file unless it is the one with this ETag."""
    lines = {"header": "If-None-Match: " + etag.replace('"', '\\"')} if etag else {}
    return call(url, config_text(access, region, lines), output)


def put(url, access, region, body, output):
    lines = {"request": "PUT", "header": "Content-Type: application/octet-stream", "data-raw": body}
    return call(url, config_text(access, region, lines), output)
