// Gets a certificate by ACME with lego's DigitalOcean provider: it makes the TXT record of the DNS-01 challenge, waits
// until the name server answers it, and deletes it again.
//
// The provider's own variables are DO_API_URL and DO_AUTH_TOKEN; LEGO_CA_CERTIFICATES is the ACME server's CA.
package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/go-acme/lego/v5/acme"
	"github.com/go-acme/lego/v5/certcrypto"
	"github.com/go-acme/lego/v5/certificate"
	"github.com/go-acme/lego/v5/challenge/dns01"
	"github.com/go-acme/lego/v5/lego"
	"github.com/go-acme/lego/v5/providers/dns/digitalocean"
	"github.com/go-acme/lego/v5/registration"
)

type user struct {
	key          crypto.Signer
	registration *acme.ExtendedAccount
}

func (u *user) GetEmail() string                       { return "" }
func (u *user) GetRegistration() *acme.ExtendedAccount { return u.registration }
func (u *user) GetPrivateKey() crypto.Signer           { return u.key }

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	options := dns01.NewOptions()
	options.RecursiveNameservers = []string{os.Getenv("ACME_NAME_SERVER")}
	dns01.SetDefaultClient(dns01.NewClient(options))

	key, err := certcrypto.GeneratePrivateKey(certcrypto.EC256)
	check("key", err)
	account := &user{key: key}
	config := lego.NewConfig(account)
	config.CADirURL = os.Getenv("ACME_DIRECTORY")
	client, err := lego.NewClient(config)
	check("client", err)

	provider, err := digitalocean.NewDNSProvider()
	check("provider", err)
	// The authoritative servers' names are not the test's name server, which is asked as a recursive one.
	err = client.Challenge.SetDNS01Provider(provider, dns01.DisableAuthoritativeNssPropagationRequirement())
	check("challenge", err)
	account.registration, err = client.Registration.Register(ctx, registration.RegisterOptions{TermsOfServiceAgreed: true})
	check("account", err)

	domain := os.Getenv("ACME_DOMAIN")
	names := []string{domain, "*." + domain}
	issued, err := client.Certificate.Obtain(ctx, certificate.ObtainRequest{Domains: names, KeyType: certcrypto.EC256})
	check("certificate", err)
	block, _ := pem.Decode(issued.Certificate)
	parsed, err := x509.ParseCertificate(block.Bytes)
	check("certificate", err)
	slices.Sort(parsed.DNSNames)
	slices.Sort(names)
	if !slices.Equal(parsed.DNSNames, names) {
		check("certificate", fmt.Errorf("expected the names %v, found %v", names, parsed.DNSNames))
	}
	fmt.Println("done")
}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}
