"""certbot-dns-digitalocean: a certificate from an ACME server by the DNS-01 challenge.

The plugin has no option for the API's address; python-digitalocean beneath it reads DIGITALOCEAN_END_POINT.
"""
import os
import sys
from pathlib import Path

import certbot.main

folder = Path(os.environ["CLIENT_DIR"])
credentials = folder / "digitalocean.ini"
credentials.touch(mode=0o600)
credentials.write_text(f"dns_digitalocean_token = {os.environ['DIGITALOCEAN_TOKEN']}\n")

sys.exit(certbot.main.main([
    "certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email",
    "--server", os.environ["ACME_DIRECTORY"],
    "--authenticator", "dns-digitalocean",
    "--dns-digitalocean-credentials", str(credentials),
    # The sandbox's records are served at once.
    "--dns-digitalocean-propagation-seconds", "0",
    "--config-dir", str(folder / "config"), "--work-dir", str(folder / "work"), "--logs-dir", str(folder / "logs"),
    "--cert-name", "site", "-d", os.environ["ACME_DOMAIN"], "-d", f"*.{os.environ['ACME_DOMAIN']}",
]))
