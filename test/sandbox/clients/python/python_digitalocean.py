"""python-digitalocean: a droplet with a tag, a firewall and a load balancer, and a domain with records.

Its address is the environment variable DIGITALOCEAN_END_POINT, which its documentation names.
"""
import os

import digitalocean

TOKEN = os.environ["DIGITALOCEAN_TOKEN"]


def ended(action):
    assert action.wait(update_every_seconds=0.05), action


def await_ended(answer):
    """Waits for the action of an answer that the client gives as it is."""
    ended(digitalocean.Action.get_object(TOKEN, answer["action"]["id"]))


manager = digitalocean.Manager(token=TOKEN)
assert manager.get_account().email

key = digitalocean.SSHKey(token=TOKEN, name="k", public_key=os.environ["SSH_PUBLIC_KEY"])
key.create()
tag = digitalocean.Tag(token=TOKEN, name="web")
tag.create()

droplet = digitalocean.Droplet(
    token=TOKEN, name="web-1", region="nyc3", image="ubuntu-24-04-x64", size_slug="s-1vcpu-1gb",
    ssh_keys=[key], tags=["web"], monitoring=True,
)
droplet.create()
for action in droplet.get_actions():
    ended(action)
droplet.load()
assert droplet.status == "active", droplet.status
assert [one.id for one in manager.get_all_droplets(tag_name="web")] == [droplet.id]

# DigitalOcean powers it off for that. The client sends "disk": "true".
ended(droplet.resize("s-2vcpu-2gb", return_dict=False, disk=True))
droplet.load()
assert droplet.size_slug == "s-2vcpu-2gb", droplet.size_slug
ended(droplet.power_on(return_dict=False))
ended(droplet.rename("web-2", return_dict=False))
assert manager.get_droplet(droplet.id).name == "web-2"

volume = digitalocean.Volume(token=TOKEN, name="data", size_gigabytes=1, region="nyc3")
volume.create()
await_ended(volume.attach(droplet.id, "nyc3"))
assert manager.get_droplet(droplet.id).volume_ids == [volume.id]
await_ended(volume.detach(droplet.id, "nyc3"))

firewall = digitalocean.Firewall(
    token=TOKEN, name="web", droplet_ids=[droplet.id], tags=[],
    inbound_rules=[digitalocean.InboundRule(
        protocol="tcp", ports="443", sources=digitalocean.Sources(addresses=["0.0.0.0/0", "::/0"]))],
    outbound_rules=[digitalocean.OutboundRule(
        protocol="udp", ports="53", destinations=digitalocean.Destinations(addresses=["0.0.0.0/0"]))],
)
firewall.create()
firewall.add_tags(["web"])
assert manager.get_firewall(firewall.id).tags == ["web"]

balancer = digitalocean.LoadBalancer(
    token=TOKEN, name="web", region="nyc3", algorithm="round_robin", tag="web",
    forwarding_rules=[digitalocean.ForwardingRule(
        entry_protocol="http", entry_port=80, target_protocol="http", target_port=80)],
    health_check=digitalocean.HealthCheck(protocol="http", port=80, path="/healthz"),
    sticky_sessions=digitalocean.StickySessions(type="none"),
)
balancer.create()
balancer.load()
balancer.name = "site"
balancer.save()
assert [one.name for one in manager.get_all_load_balancers()] == ["site"]
assert balancer.load().droplet_ids == [droplet.id]

address = digitalocean.FloatingIP(token=TOKEN, region_slug="nyc3")
address.reserve()
assert [one.ip for one in manager.get_all_floating_ips()] == [address.ip]

domain = digitalocean.Domain(token=TOKEN, name="example.com", ip_address="192.0.2.1")
domain.create()
created = domain.create_new_domain_record(type="A", name="www", data="192.0.2.2", ttl=60)
records = {record.id: record for record in domain.get_records()}
record = records[created["domain_record"]["id"]]
assert (record.name, record.data, record.ttl) == ("www", "192.0.2.2", 60), vars(record)
record.data = "192.0.2.3"
record.save()
again = digitalocean.Record.get_object(TOKEN, "example.com", record.id)
assert again.data == "192.0.2.3", again.data
record.destroy()

for one in (domain, balancer, firewall, address, volume, droplet, key):
    one.destroy()
tag.delete()
print("done")
