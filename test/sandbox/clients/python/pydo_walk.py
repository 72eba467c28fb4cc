"""pydo, DigitalOcean's own Python client: what a website needs, made, read, changed and deleted.

Its address is the argument `endpoint`.
"""
import os

import pydo
from azure.core.exceptions import HttpResponseError

from waiting import wait_for

client = pydo.Client(token=os.environ["DIGITALOCEAN_TOKEN"], endpoint=os.environ["DIGITALOCEAN_API_URL"])

account = client.account.get()["account"]
vpc = client.vpcs.create({"name": "site", "region": "nyc3", "ip_range": "10.99.0.0/24"})["vpc"]
droplet = client.droplets.create({
    "name": "web-1", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64",
    "vpc_uuid": vpc["id"], "tags": ["web"],
})["droplet"]
wait_for("droplet", lambda: client.droplets.get(droplet["id"])["droplet"], lambda one: one["status"] == "active")
assert [one["id"] for one in client.droplets.list(tag_name="web")["droplets"]] == [droplet["id"]]
action = client.droplet_actions.post(droplet["id"], body={"type": "rename", "name": "web-2"})["action"]
wait_for("rename", lambda: client.actions.get(action["id"])["action"], lambda one: one["status"] == "completed")
assert client.droplets.get(droplet["id"])["droplet"]["name"] == "web-2"

balancer = client.load_balancers.create({
    "name": "site", "region": "nyc3", "vpc_uuid": vpc["id"], "tag": "web",
    "forwarding_rules": [
        {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80}],
})["load_balancer"]
wait_for("load balancer", lambda: client.load_balancers.get(balancer["id"])["load_balancer"],
         lambda one: one["status"] == "active" and one["droplet_ids"] == [droplet["id"]])
firewall = client.firewalls.create({
    "name": "web", "tags": ["web"],
    "inbound_rules": [{"protocol": "tcp", "ports": "80", "sources": {"load_balancer_uids": [balancer["id"]]}}],
})["firewall"]
client.firewalls.add_rules(firewall["id"], body={
    "outbound_rules": [{"protocol": "udp", "ports": "53", "destinations": {"addresses": ["0.0.0.0/0"]}}]})
assert len(client.firewalls.get(firewall["id"])["firewall"]["outbound_rules"]) == 1

client.domains.create({"name": "example.com"})
record = client.domains.create_record(
    "example.com", {"type": "CNAME", "name": "www", "data": "site.example.net.", "ttl": 60})["domain_record"]
client.domains.patch_record("example.com", record["id"], {"type": "CNAME", "data": "other.example.net."})
assert client.domains.get_record("example.com", record["id"])["domain_record"]["data"] == "other.example.net"

policy = client.monitoring.create_alert_policy({
    "type": "v1/insights/droplet/cpu", "description": "cpu", "compare": "GreaterThan", "value": 90,
    "window": "5m", "entities": [str(droplet["id"])], "tags": [], "enabled": True,
    "alerts": {"email": [account["email"]], "slack": []},
})["policy"]
assert client.monitoring.get_alert_policy(policy["uuid"])["policy"]["value"] == 90
project = client.projects.create({"name": "site", "purpose": "Website or blog"})["project"]
client.projects.assign_resources(project["id"], {"resources": [f"do:droplet:{droplet['id']}"]})

# A refusal arrives as its exception, with DigitalOcean's words.
try:
    client.vpcs.delete(vpc["id"])
except HttpResponseError as error:
    assert error.status_code in (403, 409), error
else:
    raise AssertionError("a VPC with members was deleted")

client.monitoring.delete_alert_policy(policy["uuid"])
client.domains.delete("example.com")
client.firewalls.delete(firewall["id"])
client.load_balancers.delete(balancer["id"])
client.droplets.destroy(droplet["id"])
client.projects.delete(project["id"])
client.vpcs.delete(vpc["id"])
client.tags.delete("web")
print("done")
