"""octodns-digitalocean: a zone described in a file is made, changed and emptied by plan and apply.

Its address is a class attribute, DigitalOceanClient.BASE.
"""
import os

import octodns_digitalocean
from octodns.record import Record
from octodns.zone import Zone

octodns_digitalocean.DigitalOceanClient.BASE = f"{os.environ['DIGITALOCEAN_API_URL']}/v2"
ZONE = "example.com."


def apply(wanted):
    """Brings the zone to `wanted`; gives the number of changes that were made."""
    # A provider remembers the records that it has read.
    provider = octodns_digitalocean.DigitalOceanProvider("sandbox", os.environ["DIGITALOCEAN_TOKEN"])
    desired = Zone(ZONE, [])
    for name, data in wanted:
        desired.add_record(Record.new(desired, name, data))
    plan = provider.plan(desired)
    return provider.apply(plan) if plan else 0


WANTED = [
    ("", {"type": "A", "ttl": 60, "values": ["192.0.2.2", "192.0.2.3"]}),
    ("", {"type": "MX", "ttl": 60, "values": [{"preference": 10, "exchange": "mail.example.net."}]}),
    ("", {"type": "CAA", "ttl": 60, "values": [{"flags": 0, "tag": "iodef", "value": "mailto:ops@example.com"}]}),
    ("www", {"type": "CNAME", "ttl": 60, "value": "site.example.net."}),
    ("six", {"type": "AAAA", "ttl": 60, "values": ["2001:db8::2"]}),
    ("text", {"type": "TXT", "ttl": 60, "values": ["v=spf1 -all", "semi\\; colon"]}),
    ("_sip._tcp", {"type": "SRV", "ttl": 60,
                   "values": [{"priority": 1, "weight": 2, "port": 5060, "target": "sip.example.net."}]}),
]

assert apply(WANTED) > 0
# What was written reads back as it was wanted.
assert apply(WANTED) == 0, "a second run still finds changes"
CHANGED = [(name, {**data, "ttl": 120}) if name == "www" else (name, data) for name, data in WANTED]
assert apply(CHANGED) == 1
# octoDNS leaves the NS records of the zone itself alone where the file has none.
assert apply([]) == len(WANTED)
assert octodns_digitalocean.DigitalOceanProvider("sandbox", os.environ["DIGITALOCEAN_TOKEN"]).list_zones() == [ZONE]
print("done")
