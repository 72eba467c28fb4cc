// Walks through an account with DigitalOcean's own Go client, as doctl and the Terraform provider do: creates what a
// website needs, reads it back, changes it and deletes it. The first surprise ends it with a message and status 1.
//
// DIGITALOCEAN_API_URL and DIGITALOCEAN_TOKEN say where.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/digitalocean/godo"
	"golang.org/x/oauth2"
)

const deadline = 20 * time.Second

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*deadline)
	defer cancel()
	token := &oauth2.Token{AccessToken: os.Getenv("DIGITALOCEAN_TOKEN")}
	client, err := godo.New(
		oauth2.NewClient(ctx, oauth2.StaticTokenSource(token)),
		godo.SetBaseURL(os.Getenv("DIGITALOCEAN_API_URL")),
	)
	check("client", err)
	walk(ctx, client)
}

func walk(ctx context.Context, client *godo.Client) {
	account, _, err := client.Account.Get(ctx)
	check("account", err)

	project, _, err := client.Projects.Create(ctx, &godo.CreateProjectRequest{
		Name: "site", Purpose: "Web Application", Environment: "Production",
	})
	check("create project", err)

	droplet := createDroplet(ctx, client)
	domain, record := createDomain(ctx, client)
	certificate := createCertificate(ctx, client, domain)
	balancer := createBalancer(ctx, client, droplet, certificate)
	firewall := createFirewall(ctx, client, droplet, balancer)
	checkID, alertID := createUptimeCheck(ctx, client, account.Email)
	policy := createAlert(ctx, client, balancer, account.Email)

	resources, _, err := client.Projects.AssignResources(ctx, project.ID, droplet, balancer, godo.Domain{Name: domain})
	check("assign resources", err)
	expect("assigned resources", len(resources), 3)
	listed, _, err := client.Projects.ListResources(ctx, project.ID, nil)
	check("list resources", err)
	expect("listed resources", len(listed), 3)

	_, err = client.Certificates.Delete(ctx, certificate.ID)
	refused("delete a certificate in use", err, 403)
	_, err = client.Projects.Delete(ctx, project.ID)
	refused("delete a project with resources", err, 412)
	_, _, err = client.Firewalls.Create(ctx, &godo.FirewallRequest{Name: firewall.Name, InboundRules: firewall.InboundRules})
	refused("create a firewall of a taken name", err, 409)

	_, err = client.Monitoring.DeleteAlertPolicy(ctx, policy.UUID)
	check("delete alert policy", err)
	_, err = client.UptimeChecks.DeleteAlert(ctx, checkID, alertID)
	check("delete uptime alert", err)
	_, err = client.UptimeChecks.Delete(ctx, checkID)
	check("delete uptime check", err)
	_, err = client.Firewalls.Delete(ctx, firewall.ID)
	check("delete firewall", err)
	_, err = client.LoadBalancers.Delete(ctx, balancer.ID)
	check("delete load balancer", err)
	_, err = client.Certificates.Delete(ctx, certificate.ID)
	check("delete certificate", err)
	_, err = client.Domains.DeleteRecord(ctx, domain, record.ID)
	check("delete record", err)
	_, err = client.Domains.Delete(ctx, domain)
	check("delete domain", err)
	_, err = client.Droplets.Delete(ctx, droplet.ID)
	check("delete droplet", err)
	_, err = client.Tags.Delete(ctx, "web")
	check("delete tag", err)
	_, err = client.Projects.Delete(ctx, project.ID)
	check("delete project", err)

	_, _, err = client.Droplets.Get(ctx, droplet.ID)
	refused("read a deleted droplet", err, 404)
	_, _, err = client.LoadBalancers.Get(ctx, balancer.ID)
	refused("read a deleted load balancer", err, 404)
	fmt.Println("done")
}

func createDroplet(ctx context.Context, client *godo.Client) *godo.Droplet {
	created, _, err := client.Droplets.Create(ctx, &godo.DropletCreateRequest{
		Name: "web-1", Region: "nyc3", Size: "s-1vcpu-1gb",
		Image:    godo.DropletCreateImage{Slug: "ubuntu-24-04-x64"},
		Tags:     []string{"web"},
		UserData: "#cloud-config\n", Monitoring: true,
	})
	check("create droplet", err)
	var droplet *godo.Droplet
	wait("droplet is active", func() bool {
		droplet, _, err = client.Droplets.Get(ctx, created.ID)
		check("read droplet", err)
		return droplet.Status == "active"
	})
	address, err := droplet.PublicIPv4()
	check("public address", err)
	expect("a public address", address != "", true)
	tag, _, err := client.Tags.Get(ctx, "web")
	check("read tag", err)
	expect("droplets of the tag", tag.Resources.Droplets.Count, 1)
	return droplet
}

func createDomain(ctx context.Context, client *godo.Client) (string, *godo.DomainRecord) {
	domain, _, err := client.Domains.Create(ctx, &godo.DomainCreateRequest{Name: "example.com"})
	check("create domain", err)
	record, _, err := client.Domains.CreateRecord(ctx, domain.Name, &godo.DomainRecordEditRequest{
		Type: "CNAME", Name: "blog", Data: "www.example.org.", TTL: 300,
	})
	check("create record", err)
	expect("data of the record", record.Data, "www.example.org")
	// Without a type: the official provider does so.
	edited, _, err := client.Domains.EditRecord(ctx, domain.Name, record.ID, &godo.DomainRecordEditRequest{
		Name: "blog", Data: "www.example.net.", TTL: 600,
	})
	check("edit record", err)
	expect("data of the edited record", edited.Data, "www.example.net")
	found, _, err := client.Domains.RecordsByTypeAndName(ctx, domain.Name, "CNAME", "blog.example.com", nil)
	check("find record", err)
	expect("records found", len(found), 1)
	return domain.Name, record
}

func createCertificate(ctx context.Context, client *godo.Client, domain string) *godo.Certificate {
	created, _, err := client.Certificates.Create(ctx, &godo.CertificateRequest{
		Name: "web", Type: "lets_encrypt", DNSNames: []string{"www." + domain},
	})
	check("create certificate", err)
	wait("certificate is verified", func() bool {
		list, _, err := client.Certificates.ListByName(ctx, "web", nil)
		check("list certificates", err)
		expect("certificates of the name", len(list), 1)
		return list[0].State == "verified"
	})
	return created
}

func createBalancer(ctx context.Context, client *godo.Client, droplet *godo.Droplet, certificate *godo.Certificate) *godo.LoadBalancer {
	request := &godo.LoadBalancerRequest{
		Name: "web", Region: "nyc3", SizeUnit: 1, DropletIDs: []int{droplet.ID},
		ForwardingRules: []godo.ForwardingRule{{
			EntryProtocol: "https", EntryPort: 443, TargetProtocol: "https", TargetPort: 443, CertificateID: certificate.ID,
		}},
		HealthCheck:         &godo.HealthCheck{Protocol: "https", Port: 443, Path: "/readyz"},
		RedirectHttpToHttps: true,
		Firewall:            &godo.LBFirewall{Allow: []string{"cidr:0.0.0.0/0"}},
	}
	created, _, err := client.LoadBalancers.Create(ctx, request)
	check("create load balancer", err)
	var balancer *godo.LoadBalancer
	wait("load balancer is active", func() bool {
		balancer, _, err = client.LoadBalancers.Get(ctx, created.ID)
		check("read load balancer", err)
		return balancer.Status == "active"
	})
	expect("an address of the load balancer", balancer.IP != "", true)
	expect("healthy threshold", balancer.HealthCheck.HealthyThreshold, 5)
	// What is read can be sent back.
	_, _, err = client.LoadBalancers.Update(ctx, balancer.ID, balancer.AsRequest())
	check("update load balancer", err)
	rule := godo.ForwardingRule{EntryProtocol: "tcp", EntryPort: 22, TargetProtocol: "tcp", TargetPort: 22}
	_, err = client.LoadBalancers.AddForwardingRules(ctx, balancer.ID, rule)
	check("add forwarding rule", err)
	_, err = client.LoadBalancers.RemoveForwardingRules(ctx, balancer.ID, rule)
	check("remove forwarding rule", err)
	return balancer
}

func createFirewall(ctx context.Context, client *godo.Client, droplet *godo.Droplet, balancer *godo.LoadBalancer) *godo.Firewall {
	created, _, err := client.Firewalls.Create(ctx, &godo.FirewallRequest{
		Name: "web", DropletIDs: []int{droplet.ID}, Tags: []string{"web"},
		InboundRules: []godo.InboundRule{
			{Protocol: "tcp", PortRange: "443", Sources: &godo.Sources{LoadBalancerUIDs: []string{balancer.ID}}},
			{Protocol: "icmp", Sources: &godo.Sources{Addresses: []string{"0.0.0.0/0"}}},
		},
		OutboundRules: []godo.OutboundRule{
			{Protocol: "tcp", PortRange: "all", Destinations: &godo.Destinations{Addresses: []string{"0.0.0.0/0"}}},
		},
	})
	check("create firewall", err)
	var firewall *godo.Firewall
	wait("firewall is in force", func() bool {
		firewall, _, err = client.Firewalls.Get(ctx, created.ID)
		check("read firewall", err)
		return firewall.Status == "succeeded" && len(firewall.PendingChanges) == 0
	})
	expect("ports of icmp", firewall.InboundRules[1].PortRange, "0")
	own, _, err := client.Firewalls.ListByDroplet(ctx, droplet.ID, nil)
	check("list firewalls of the droplet", err)
	expect("firewalls of the droplet", len(own), 1)
	return firewall
}

func createUptimeCheck(ctx context.Context, client *godo.Client, email string) (string, string) {
	created, _, err := client.UptimeChecks.Create(ctx, &godo.CreateUptimeCheckRequest{
		Name: "site", Type: "https", Target: "https://www.example.com", Regions: []string{"us_east"}, Enabled: true,
	})
	check("create uptime check", err)
	state, _, err := client.UptimeChecks.GetState(ctx, created.ID)
	check("state of the uptime check", err)
	expect("regions of the state", len(state.Regions), 1)
	alert, _, err := client.UptimeChecks.CreateAlert(ctx, created.ID, &godo.CreateUptimeAlertRequest{
		Name: "down", Type: "down", Period: "2m", Notifications: &godo.Notifications{Email: []string{email}},
	})
	check("create uptime alert", err)
	return created.ID, alert.ID
}

func createAlert(ctx context.Context, client *godo.Client, balancer *godo.LoadBalancer, email string) *godo.AlertPolicy {
	enabled := true
	policy, _, err := client.Monitoring.CreateAlertPolicy(ctx, &godo.AlertPolicyCreateRequest{
		Type: godo.LoadBalancerDropletHealth, Description: "health", Compare: "LessThan", Value: 100, Window: "5m",
		Entities: []string{balancer.ID}, Alerts: godo.Alerts{Email: []string{email}}, Enabled: &enabled,
	})
	check("create alert policy", err)
	return policy
}

func wait(what string, done func() bool) {
	for end := time.Now().Add(deadline); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			fail("not within %s: %s", deadline, what)
		}
	}
}

func refused(what string, err error, status int) {
	response, ok := err.(*godo.ErrorResponse)
	if !ok {
		fail("%s: not refused: %v", what, err)
	}
	expect(what, response.Response.StatusCode, status)
	expect(what+": has a message and a request id", response.Message != "" && response.RequestID != "", true)
}

func expect[T comparable](what string, got, wanted T) {
	if got != wanted {
		fail("%s: %v, not %v", what, got, wanted)
	}
}

func check(what string, err error) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
