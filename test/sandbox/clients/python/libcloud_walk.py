"""apache-libcloud: its compute and its DNS driver.

Their address is their connection's attributes `host`, `port` and `secure`. The drivers' arguments of these names end
in a TypeError of this version, because its __new__ passes them on to object.
"""
import os
from urllib.parse import urlparse

from libcloud.compute.providers import get_driver as compute_driver
from libcloud.compute.types import NodeState
from libcloud.dns.providers import get_driver as dns_driver
from libcloud.dns.types import RecordType

from waiting import wait_for


def at_sandbox(driver):
    url = urlparse(os.environ["DIGITALOCEAN_API_URL"])
    driver.connection.host, driver.connection.port, driver.connection.secure = url.hostname, url.port, False
    driver.connection.connect()
    return driver


compute = at_sandbox(compute_driver("digitalocean")(os.environ["DIGITALOCEAN_TOKEN"]))
location = next(one for one in compute.list_locations() if one.id == "nyc3")
size = next(one for one in compute.list_sizes(location) if one.name == "s-1vcpu-1gb")
image = next(one for one in compute.list_images() if one.extra["slug"] == "ubuntu-24-04-x64")
key = compute.create_key_pair("k", os.environ["SSH_PUBLIC_KEY"])
node = compute.create_node("web-1", size, image, location, ex_create_attr={"ssh_keys": [key.fingerprint]})
node = wait_for("node", lambda: compute.ex_get_node_details(node.id), lambda one: one.state == NodeState.RUNNING)
assert node.public_ips, node
assert [one.id for one in compute.list_nodes()] == [node.id]
assert compute.ex_rename_node(node, "web-2")
wait_for("rename", lambda: compute.ex_get_node_details(node.id), lambda one: one.name == "web-2")
volume = compute.create_volume(1, "data", location)
assert compute.attach_volume(node, volume)
wait_for("attached volume", lambda: compute.list_volumes()[0].extra["droplet_ids"], lambda ids: ids == [int(node.id)])
assert compute.detach_volume(compute.list_volumes()[0])
wait_for("detached volume", lambda: compute.list_volumes()[0].extra["droplet_ids"], lambda ids: ids == [])
assert compute.destroy_volume(volume)
address = compute.ex_create_floating_ip(location)
assert [one.ip_address for one in compute.ex_list_floating_ips()] == [address.ip_address]
assert compute.ex_delete_floating_ip(address)
assert compute.destroy_node(node)
assert compute.delete_key_pair(compute.get_key_pair("k"))

dns = at_sandbox(dns_driver("digitalocean")(os.environ["DIGITALOCEAN_TOKEN"]))
zone = dns.create_zone("example.com", extra={"ip": "192.0.2.1"})
assert [one.id for one in dns.list_zones()] == ["example.com"]
record = dns.create_record("www", zone, RecordType.A, "192.0.2.2", extra={"ttl": 60})
record = dns.update_record(record, data="192.0.2.3")
assert dns.get_record("example.com", record.id).data == "192.0.2.3"
assert "www" in [one.name for one in dns.list_records(zone)]
assert dns.delete_record(record)
assert dns.delete_zone(zone)
print("done")
