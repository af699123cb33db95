// Torture does one job in a data directory through the Go package, and reports the outcome by its exit status.
// tests/torture breaks this program instead of its own victim (cargo run --release -p pulse-torture -- --victim PROGRAM).
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// As tests/torture/src/victim.rs and jobs.rs say.
const (
	mark        = "/pulse-torture-begins"
	seed        = "cHVsc2UtdG9ydHVyZS1zZWVkLXRoYXQtb3BlbnMtMDA="
	refused     = 10
	notDurable  = 11
	newSecret   = "new-secret"
	newCustomer = "cus_new"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "torture JOB DIRECTORY [REPORT]")
		os.Exit(1)
	}
	seen, err := do(os.Args[1], os.Args[2])
	report := seen
	if err != nil {
		report = err.Error()
	}
	if len(os.Args) > 3 {
		os.WriteFile(os.Args[3], []byte(report), 0o600)
	}
	switch {
	case err == nil:
	case errors.Is(err, pulsetrust.ErrFileNotDurable):
		os.Exit(notDurable)
	default:
		os.Exit(refused)
	}
}

func do(job, path string) (seen string, err error) {
	key, err := pulsetrust.SigningKeyFromBase64(seed)
	if err != nil {
		return "", err
	}
	public, err := key.PublicKey()
	if err != nil {
		return "", err
	}
	keys, err := pulsetrust.NewTrustKeys(public, "")
	if err != nil {
		return "", err
	}
	dir, err := pulsetrust.OpenDataDir(path)
	if err != nil {
		return "", err
	}
	os.Chdir(mark) // a mark in the record of system calls
	if err := dir.Lock(30 * time.Second); err != nil {
		return "", err
	}
	defer dir.Close()
	config, _, err := dir.RelayConfig()
	if err != nil {
		return "", err
	}
	switch job {
	case "create", "save":
		config.InstanceSecret = newSecret
		_, err = dir.SaveRelayConfig(config)
	case "replace":
		config.InstanceSecret = newSecret
		if err = newIdentity(config); err == nil {
			_, err = dir.SaveRelayConfigReplacingIdentity(config)
		}
	case "migrate":
	case "bootstrap":
		return bootstrap(dir, keys)
	case "billing":
		err = saveBilling(dir, "default", nil)
	case "organization":
		err = saveBilling(dir, "acme", map[string]any{"entitlement_refresh_token": "etr_hosted_00"})
	case "increment":
		count, _ := strconv.Atoi(config.ServerURL)
		config.ServerURL = strconv.Itoa(count + 1)
		_, err = dir.SaveRelayConfig(config)
	case "read":
		for _, org := range []string{"default", "acme"} {
			if _, _, _, err = dir.BillingState(org); err != nil {
				return "", err
			}
		}
	default:
		return "", fmt.Errorf("no job %s", job)
	}
	return "", err
}

func bootstrap(dir *pulsetrust.DataDir, keys *pulsetrust.TrustKeys) (string, error) {
	runtime, now := pulsetrust.RuntimeConfig{Hosted: true}, time.Unix(1_800_000_000, 0)
	report, err := dir.Bootstrap(runtime, keys, now)
	if err != nil {
		return "", err
	}
	// The answer of this one call: another call would read the directory again, after the failure.
	if report.Credential.Token == "" {
		return "", errors.New("no credential is offered")
	}
	return report.Config.IdentityFingerprint, nil
}

func saveBilling(dir *pulsetrust.DataDir, org string, members map[string]any) error {
	billing, revision, _, err := dir.BillingState(org)
	if err != nil {
		return err
	}
	if members == nil {
		if err := json.Unmarshal(billing, &members); err != nil {
			return err
		}
	}
	members["stripe_customer_id"] = newCustomer
	text, err := json.Marshal(members)
	if err != nil {
		return err
	}
	_, err = dir.SaveBillingState(org, text, revision)
	return err
}

func newIdentity(config *pulsetrust.RelayConfig) error {
	identity, err := pulsetrust.GenerateIdentity()
	if err != nil {
		return err
	}
	if config.IdentityPrivateKey, err = identity.SecretPrivateKey(); err != nil {
		return err
	}
	if config.IdentityPublicKey, err = identity.PublicKey(); err != nil {
		return err
	}
	config.IdentityFingerprint, err = identity.Fingerprint()
	return err
}
