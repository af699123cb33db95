package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// provisioned is a tenant made for a test. Its signing keys are forgotten at once.
type provisioned struct {
	host       string
	leaseKey   string
	licenseKey string
}

// provision is the control plane's part: a signed lease in the billing.json of a fresh directory.
func provision(path string, now time.Time) (made provisioned, err error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return made, err
	}
	// Files that are already in the directory belong to a tenant with other keys.
	if entries, err := os.ReadDir(path); err != nil {
		return made, err
	} else if len(entries) > 0 {
		return made, fmt.Errorf("%s is not empty", path)
	}
	leaseKey, secret, err := newKey()
	if err != nil {
		return made, err
	}
	defer clear(secret)
	licenseKey, unused, err := newKey()
	if err != nil {
		return made, err
	}
	clear(unused)
	dir, err := pulsetrust.OpenDataDir(path)
	if err != nil {
		return made, err
	}
	defer dir.Close()
	order := pulsetrust.TenantOrder{TenantID: "t-" + rand.Text()[:10], BaseURL: "https://cloud.example.test"}
	host, err := dir.IssueBillingState(order, string(secret), now)
	return provisioned{host, leaseKey, licenseKey}, err
}

func newKey() (public string, secret []byte, err error) {
	key, err := pulsetrust.GenerateSigningKey()
	if err != nil {
		return "", nil, err
	}
	defer key.Close()
	if public, err = key.PublicKey(); err != nil {
		return "", nil, err
	}
	secret, err = key.SecretBase64()
	return public, secret, err
}

func (p provisioned) publicURL() string { return "https://" + p.host }

func (p provisioned) event() event {
	return event{
		"event":              "provisioned",
		"lease_public_key":   p.leaseKey,
		"license_public_key": p.licenseKey,
		"public_url":         p.publicURL(),
	}
}

// adopt takes over what the control plane would set in the container's environment.
func (s *settings) adopt(made provisioned) {
	s.runtime.Hosted, s.runtime.PublicURL = true, made.publicURL()
	s.leaseKeys, s.licenseKeys = made.leaseKey, made.licenseKey
}

// nextLine is a line of the input, or empty once the context has ended.
func nextLine(ctx context.Context, input io.Reader) (string, error) {
	lines, failed := make(chan string, 1), make(chan error, 1)
	go func() {
		lineReader := bufio.NewScanner(input)
		if lineReader.Scan() {
			lines <- strings.TrimSpace(lineReader.Text())
		} else {
			failed <- errors.New("stdin ended before the line \"go\" or a relay URL")
		}
	}()
	select {
	case line := <-lines:
		return line, nil
	case err := <-failed:
		return "", err
	case <-ctx.Done():
		return "", nil
	}
}
