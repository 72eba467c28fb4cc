"""dns-lexicon: a record made, listed, changed and deleted, by the steps of its command line.

Its address is an attribute of its provider, `api_endpoint`, which has no option.
"""
import os

from lexicon.client import Client
from lexicon.config import ConfigResolver
from lexicon._private.providers import digitalocean

ENDPOINT = f"{os.environ['DIGITALOCEAN_API_URL']}/v2"


provider_init = digitalocean.Provider.__init__


def init_at_sandbox(self, config):
    provider_init(self, config)
    self.api_endpoint = ENDPOINT


digitalocean.Provider.__init__ = init_at_sandbox


def operations():
    config = ConfigResolver().with_dict({
        "provider_name": "digitalocean", "domain": "example.com", "ttl": 60,
        "digitalocean": {"auth_token": os.environ["DIGITALOCEAN_TOKEN"]},
    })
    return Client(config)


with operations() as client:
    assert client.create_record("TXT", "_acme-challenge", "first")
    # Made again it stays one.
    assert client.create_record("TXT", "_acme-challenge", "first")
    (record,) = client.list_records("TXT", "_acme-challenge.example.com")
    assert (record["content"], record["ttl"]) == ("first", 60), record
    assert client.update_record(record["id"], "TXT", "_acme-challenge", "second")
    assert [one["content"] for one in client.list_records("TXT")] == ["second"]
    assert client.create_record("CNAME", "www", "site.example.net")
    assert client.delete_record(rtype="TXT", name="_acme-challenge.example.com")
    assert client.list_records("TXT") == []
    assert client.delete_record(rtype="CNAME", name="www.example.com")
print("done")
