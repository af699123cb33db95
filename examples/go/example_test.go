package pulsetrust_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// claims are those of a lease, as a control plane writes them.
const claims = `{"org_id":"default","instance_host":"t-abc.cloud.example.test","subscription_state":"active",
	"capabilities":["relay"],"exp":4102444800}`

// orFail gives the value of a call that an example does not expect to fail.
func orFail[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// A control plane signs a lease, and whoever knows its public key verifies it.
func ExampleVerifyToken() {
	controlPlane := orFail(pulsetrust.GenerateSigningKey())
	lease := orFail(pulsetrust.SignToken(controlPlane, pulsetrust.KindLease, []byte(claims), false))
	keys := orFail(pulsetrust.NewTrustKeys(orFail(controlPlane.PublicKey()), ""))

	checks := pulsetrust.LeaseChecks{Host: pulsetrust.RequireHost("t-abc.cloud.example.test")}
	token := orFail(pulsetrust.VerifyToken(keys, lease, checks, time.Now()))
	defer token.Close()
	fmt.Println("grants relay:", token.Check("relay", time.Now()) == nil)

	checks.Host = pulsetrust.RequireHost("t-other.cloud.example.test")
	_, err := pulsetrust.VerifyToken(keys, lease, checks, time.Now())
	fmt.Println(errors.Is(err, pulsetrust.ErrHostMismatch))
	// Output:
	// grants relay: true
	// true
}

// A relay decides on a registration.
func ExampleAdmission_Admit() {
	controlPlane := orFail(pulsetrust.GenerateSigningKey())
	lease := orFail(pulsetrust.SignToken(controlPlane, pulsetrust.KindLease, []byte(claims), false))
	keys := orFail(pulsetrust.NewTrustKeys(orFail(controlPlane.PublicKey()), ""))

	admission := orFail(pulsetrust.NewAdmission(keys, 0))
	defer admission.Close()
	registration := orFail(admission.Admit(lease, "", time.Now()))
	fmt.Println(registration.InstanceID == orFail(pulsetrust.InstanceIDOfHost("t-abc.cloud.example.test")))
	// Output: true
}

// A runtime starts on the directory of a tenant that the control plane has provisioned.
func ExampleDataDir_Bootstrap() {
	path := orFail(os.MkdirTemp("", "tenant"))
	defer os.RemoveAll(path)
	controlPlane := orFail(pulsetrust.GenerateSigningKey())
	data := orFail(pulsetrust.OpenDataDir(path))
	defer data.Close()
	order := pulsetrust.TenantOrder{TenantID: "t-abc", BaseURL: "https://cloud.example.test"}
	secret := orFail(controlPlane.SecretBase64())
	host := orFail(data.IssueBillingState(order, string(secret), time.Now()))

	keys := orFail(pulsetrust.NewTrustKeys(orFail(controlPlane.PublicKey()), ""))
	config := pulsetrust.RuntimeConfig{Hosted: true, PublicURL: "https://" + host}
	started := orFail(data.Bootstrap(config, keys, time.Now()))
	fmt.Println(started.Outcome, started.Credential.Offered)
	// Output: bootstrapped hosted lease
}

// A phone reads the code that it scanned, and shows the fingerprint to compare.
func ExampleParsePairingCode() {
	identity := orFail(pulsetrust.GenerateIdentity())
	defer identity.Close()
	config := &pulsetrust.RelayConfig{
		Enabled:           true,
		ServerURL:         "wss://relay.example.test/ws/instance",
		IdentityPublicKey: orFail(identity.PublicKey()),
	}
	offer := orFail(pulsetrust.BuildPairing(config, "relay_2e1b0929e6fd7c52", "token", ""))

	code := orFail(pulsetrust.ParsePairingCode(offer.DeepLink))
	fmt.Println(code.RelayURL, *code.IdentityFingerprint == orFail(identity.Fingerprint()))
	// Output: wss://relay.example.test/ws/app true
}
