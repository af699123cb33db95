package pulsetrust_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

const refusalsFile = "testdata/refusals.json"

// Both engines say the same to the letter of whatever they refuse: of every vector, and of what no vector has. The texts
// are in testdata/refusals.json, and this test runs on each engine. Where a message was changed on purpose,
// PULSE_TRUST_WRITE_REFUSALS=1 go test -tags=pulsetrust_cgo -run TestRefusals writes them anew.
func TestRefusalsToTheLetter(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getenv("PULSE_TRUST_VECTORS") != "" {
		t.Skip("the texts are those of the committed vectors, and of files on Linux")
	}
	said := &refusals{t: t, texts: map[string]string{}}
	said.ofTokens()
	said.ofKeysAndHosts()
	said.ofDirectories()
	said.ofTheConversation()
	said.ofArguments()
	if os.Getenv("PULSE_TRUST_WRITE_REFUSALS") != "" {
		text := must[[]byte](t)(json.MarshalIndent(said.texts, "", "  "))
		if err := os.WriteFile(refusalsFile, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var expected map[string]string
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(refusalsFile)), &expected); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(said.texts)) {
		if said.texts[name] != expected[name] {
			t.Errorf("%s: %s says\n%s\nexpected\n%s", name, pulsetrust.Engine, said.texts[name], expected[name])
		}
	}
	if len(said.texts) != len(expected) || len(expected) < 200 {
		t.Errorf("%d refusals, expected %d", len(said.texts), len(expected))
	}
}

// A file that was sealed anew has another revision each time.
var revisions = regexp.MustCompile("revision [0-9a-f]{32}")

type refusals struct {
	t     *testing.T
	texts map[string]string
}

// hear notes what is refused, and what is warned about. Paths are another at each run.
func (r *refusals) hear(name, path string, warnings []string, err error) {
	var words []string
	if err != nil {
		words = append(words, err.Error())
	}
	for _, warning := range warnings {
		words = append(words, "warning: "+warning)
	}
	if len(words) == 0 {
		return
	}
	text := strings.Join(words, "\n")
	if path != "" {
		text = strings.ReplaceAll(text, path, "DIR")
		text = revisions.ReplaceAllString(text, "revision REVISION")
	}
	if _, ok := r.texts[name]; ok {
		r.t.Errorf("%s is heard twice", name)
	}
	r.texts[name] = text
}

func (r *refusals) refused(name string, err error) {
	r.t.Helper()
	if err == nil {
		r.t.Errorf("%s is not refused", name)
	}
	r.hear(name, "", nil, err)
}

func (r *refusals) ofTokens() {
	t := r.t
	leases := read[leaseVectors](t, "leases.json")
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(leases.HostedPublicKey, leases.LicensePublicKey))
	for index, c := range leases.Cases {
		now := time.Unix(c.Now, 0)
		name := fmt.Sprintf("lease %d %s", index, c.Name)
		_, err := pulsetrust.VerifyToken(keys, c.Token, checksFor(c.ExpectedHost), now)
		r.hear(name+", verified", "", nil, err)
		_, err = pulsetrust.InspectToken(keys, c.Token, checksFor(c.ExpectedHost), now)
		r.hear(name+", inspected", "", nil, err)
	}
	type tokens struct {
		Now   int64 `json:"now"`
		Cases []struct {
			Name  string `json:"name"`
			Token string `json:"token"`
			Now   int64  `json:"now"`
		} `json:"cases"`
	}
	for _, file := range []string{"licenses.json", "grants.json"} {
		v := read[tokens](t, file)
		for index, c := range v.Cases {
			now := time.Unix(max(c.Now, v.Now), 0)
			_, err := pulsetrust.VerifyToken(keys, c.Token, checksFor(""), now)
			r.hear(fmt.Sprintf("%s %d %s", strings.TrimSuffix(file, ".json"), index, c.Name), "", nil, err)
		}
	}
	// Payloads that no issuer writes, under a key of this test. Ed25519 signs alike each time.
	seed := base64.StdEncoding.EncodeToString([]byte("a test key, never used otherwise"))
	key := must[*pulsetrust.SigningKey](t)(pulsetrust.SigningKeyFromBase64(seed))
	own := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(must[string](t)(key.PublicKey()), ""))
	for _, claims := range []string{
		``, `"text"`, `"a \"quoted\" ü"`, `[1]`, `null`, `12`, `1.5`, `true`, `{`, `{"org_id":"a","org_id":"b"}`, `{"exp":1.5}`, `{"exp":"1"}`,
		`{"iss":1}`, `{"limits":{"a":1,"a":2}}`, `{"limits":{"a":"ü"}}`, `{"capabilities":"relay"}`, `{"capabilities":[1]}`, `{} x`,
		`{"iss":"pulse-pro-entitlement-lease","aud":"\"x\""}`, `{"iss":"ü"}`, "{\"iss\":\"\x01\"}",
	} {
		token, err := pulsetrust.SignToken(key, pulsetrust.KindLease, []byte(claims), false)
		r.hear("signing "+claims, "", nil, err)
		if err == nil {
			_, err = pulsetrust.VerifyToken(own, token, checksFor(""), time.Unix(1, 0))
			r.hear("verifying "+claims, "", nil, err)
		}
		token = signedByHand(seed, `{"alg":"EdDSA","typ":"JWT"}`, claims)
		_, err = pulsetrust.VerifyToken(own, token, checksFor(""), time.Unix(1, 0))
		r.refused("payload "+claims, err)
	}
	for _, header := range []string{
		`"text"`, `{"alg":"none"}`, `{"alg":1}`, `{"alg":"EdDSA","typ":"jose"}`, `{"alg":"EdDSA","kid":"ü"}`, `{"alg":"EdDSA","alg":"EdDSA"}`,
		`{"alg":"EdDSA","x":1}`, `{}`, `[]`,
	} {
		_, err := pulsetrust.VerifyToken(own, signedByHand(seed, header, `{"iss":"x"}`), checksFor(""), time.Unix(1, 0))
		r.refused("header "+header, err)
	}
}

func (r *refusals) ofKeysAndHosts() {
	t := r.t
	type keys struct {
		Public, Private []struct {
			In string `json:"in"`
		}
	}
	v := read[keys](t, "keys.json")
	for index, c := range v.Public {
		_, err := pulsetrust.DescribePublicKey(c.In)
		r.hear(fmt.Sprintf("public key %d", index), "", nil, err)
	}
	for index, c := range v.Private {
		_, err := pulsetrust.SigningKeyFromBase64(c.In)
		r.hear(fmt.Sprintf("private key %d", index), "", nil, err)
	}
	for _, c := range read[struct{ Hosts []struct{ In string } }](t, "tables.json").Hosts {
		_, err := pulsetrust.NormalizeHost(c.In)
		r.hear("host "+c.In, "", nil, err)
	}
	type tenantHosts struct {
		Cases []struct {
			BaseURL  string `json:"base_url"`
			TenantID string `json:"tenant_id"`
		}
	}
	for index, c := range read[tenantHosts](t, "tenant_hosts.json").Cases {
		_, err := pulsetrust.TenantHost(c.TenantID, c.BaseURL)
		r.hear(fmt.Sprintf("tenant host %d %s %s", index, c.TenantID, c.BaseURL), "", nil, err)
	}
	type relayConfigs struct {
		URLs []struct {
			URL string `json:"url"`
		} `json:"server_urls"`
		Environment []struct {
			Enabled string                 `json:"PULSE_RELAY_ENABLED"`
			Server  string                 `json:"PULSE_RELAY_SERVER"`
			File    pulsetrust.RelayConfig `json:"file"`
		} `json:"environment"`
	}
	configs := read[relayConfigs](t, "relay_config.json")
	for index, c := range configs.URLs {
		r.hear(fmt.Sprintf("server URL %d", index), "", nil, pulsetrust.CheckServerURL(c.URL))
	}
	for index, c := range configs.Environment {
		_, warnings, err := c.File.WithEnvironment(c.Enabled, c.Server)
		r.hear(fmt.Sprintf("environment %d %s %s", index, c.Enabled, c.Server), "", warnings, err)
	}
}

func (r *refusals) ofDirectories() {
	t := r.t
	tenants := read[tenantVectors](t, "tenants.json")
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(tenants.HostedPublicKey, tenants.LicensePublicKey))
	now := time.Unix(tenants.Now, 0)
	in := func(path string, look func(dir *pulsetrust.DataDir)) {
		dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
		defer dir.Close()
		look(dir)
	}
	for _, c := range tenants.Cases {
		path := copied(t, filepath.Join("tenants", c.Name, "before"))
		in(path, func(dir *pulsetrust.DataDir) {
			config := pulsetrust.RuntimeConfig{Hosted: c.HostedMode, PublicURL: c.ExpectedHost, RelayServer: "http://\"ü\""}
			ready, err := dir.Readiness(config, keys, now)
			for _, link := range ready.Links {
				if link.Error != nil {
					r.hear("tenant "+c.Name+", link "+link.Name, path, nil, fmt.Errorf("%s", link.Error.Message))
				}
			}
			r.hear("tenant "+c.Name+", readiness", path, ready.Warnings, err)
			credential, err := dir.RegistrationCredential(config, keys, now)
			r.hear("tenant "+c.Name+", credential", path, nil, err)
			for _, candidate := range credential.Candidates {
				if candidate.Refused != nil {
					r.hear("tenant "+c.Name+", candidate "+candidate.Kind, path, nil, fmt.Errorf("%s", candidate.Refused.Message))
				}
			}
			report, err := dir.Bootstrap(config, keys, now)
			if report.Reason != nil && err == nil {
				err = fmt.Errorf("%s", report.Reason.Message)
			}
			r.hear("tenant "+c.Name+", bootstrap", path, report.Warnings, err)
		})
	}
	type variants struct {
		Cases []struct {
			Name string `json:"name"`
			Org  string `json:"org"`
		} `json:"cases"`
	}
	for _, c := range read[variants](t, "relay_enc.json").Cases {
		path := copied(t, filepath.Join("relay_enc", c.Name))
		in(path, func(dir *pulsetrust.DataDir) {
			_, warnings, err := dir.RelayConfig()
			r.hear("relay.enc "+c.Name, path, warnings, err)
			_, err = dir.SaveRelayConfig(&pulsetrust.RelayConfig{})
			r.hear("relay.enc "+c.Name+", saved", path, nil, err)
		})
	}
	for _, c := range read[variants](t, "billing.json").Cases {
		path := copied(t, filepath.Join("billing", c.Name))
		in(path, func(dir *pulsetrust.DataDir) {
			_, _, warnings, err := dir.BillingState(c.Org)
			r.hear("billing "+c.Name, path, warnings, err)
		})
	}
	// What no vector has: modes, kinds of files, damage, keys that are gone.
	for name, change := range map[string]func(path string) error{
		"relay.enc is a link": func(p string) error {
			return replaced(p, "relay.enc", func(f string) error { return os.Symlink("/dev/null", f) })
		},
		"relay.enc is a directory": func(p string) error {
			return replaced(p, "relay.enc", func(f string) error { return os.Mkdir(f, 0o700) })
		},
		"relay.enc is JSON of another": func(p string) error { return os.WriteFile(p+"/relay.enc", []byte(`"a \"text\" ü"`), 0o600) },
		"relay.enc has a wrong member": func(p string) error { return os.WriteFile(p+"/relay.enc", []byte(`{"enabled":"ü"}`), 0o600) },
		"relay.enc is large":           func(p string) error { return os.WriteFile(p+"/relay.enc", make([]byte, 300<<10), 0o600) },
		"the key is gone":              func(p string) error { return os.Remove(p + "/.encryption.key") },
		"the key is not a key":         func(p string) error { return os.WriteFile(p+"/.encryption.key", []byte("ü"), 0o600) },
		"the key is short":             func(p string) error { return os.WriteFile(p+"/.encryption.key", []byte("AAAA"), 0o600) },
		"the key is another": func(p string) error {
			return os.WriteFile(p+"/.encryption.key", []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o600)
		},
		"the modes are wide": func(p string) error {
			return firstOf(os.Chmod(p, 0o755), os.Chmod(p+"/.encryption.key", 0o644), os.Chmod(p+"/relay.enc", 0o640))
		},
		"the lock file is a directory": func(p string) error { return os.Mkdir(p+"/.pulse-trust.lock", 0o700) },
		"the lock file has two names": func(p string) error {
			return firstOf(os.WriteFile(p+"/.pulse-trust.lock", nil, 0o600), os.Link(p+"/.pulse-trust.lock", p+"/second"))
		},
		"the directory is gone":    os.RemoveAll,
		"billing.json is no JSON":  func(p string) error { return os.WriteFile(p+"/billing.json", []byte(`"a \"text\" ü"`), 0o600) },
		"billing.json is a number": func(p string) error { return os.WriteFile(p+"/billing.json", []byte(`{"limits":{"a":"ü"}}`), 0o600) },
		"activation.enc is not base64": func(p string) error {
			return os.WriteFile(p+"/activation.enc", []byte("ü"), 0o600)
		},
	} {
		path := copied(t, "relay_enc/whole")
		if err := change(path); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		in(path, func(dir *pulsetrust.DataDir) {
			_, warnings, err := dir.RelayConfig()
			r.hear(name+", relay config", path, warnings, err)
			_, _, warnings, err = dir.BillingState("default")
			r.hear(name+", billing", path, warnings, err)
			_, _, warnings, err = dir.LicenseFile(pulsetrust.ActivationFile)
			r.hear(name+", activation", path, warnings, err)
			_, err = dir.Unseal("nodes.enc", make([]byte, 40))
			r.hear(name+", unsealing", path, nil, err)
			_, err = dir.Seal(nil)
			r.hear(name+", sealing", path, nil, err)
		})
	}
	// What the operating system says.
	parent := t.TempDir()
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in(file, func(dir *pulsetrust.DataDir) {
		_, _, err := dir.RelayConfig()
		r.hear("the directory is a file", parent, nil, err)
	})
	_, err := pulsetrust.CreateDataDir(filepath.Join(file, "below"), "")
	r.hear("a directory below a file", parent, nil, err)
	_, err = pulsetrust.CreateDataDir(file, "")
	r.hear("a directory where a file is", parent, nil, err)
	in(filepath.Join(parent, strings.Repeat("x", 300)), func(dir *pulsetrust.DataDir) {
		_, _, err := dir.RelayConfig()
		r.hear("a name that is too long", parent, nil, err)
	})
	in(parent, func(dir *pulsetrust.DataDir) {
		if err := os.WriteFile(filepath.Join(parent, "orgs"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := dir.SaveBillingState("org-1", json.RawMessage(`{}`), "")
		r.hear("an organization's folder below a file", parent, nil, err)
	})
	in(t.TempDir(), func(dir *pulsetrust.DataDir) {
		for _, org := range []string{"", "..", "ü", "a/b", strings.Repeat("x", 65)} {
			_, _, _, err := dir.BillingState(org)
			r.refused("organization "+org, err)
		}
		_, err := dir.SaveBillingState("default", json.RawMessage(`{}`), "\"ü\"")
		r.refused("a revision", err)
		_, _, err = dir.SaveLicenseFile(pulsetrust.LicenseFile(7), json.RawMessage(`{}`), "")
		r.refused("a license file", err)
	})
}

func (r *refusals) ofTheConversation() {
	t := r.t
	for index, c := range read[struct{ Decode []struct{ Hex string } }](t, "frames.json").Decode {
		_, err := pulsetrust.DecodeFrame(must[[]byte](t)(hex.DecodeString(c.Hex)))
		r.hear(fmt.Sprintf("frame %d", index), "", nil, err)
	}
	type onboarding struct {
		Cases []struct {
			Name        string                 `json:"name"`
			InstanceURL string                 `json:"instance_url"`
			Config      pulsetrust.RelayConfig `json:"relay_config"`
			InstanceID  string                 `json:"instance_id"`
			AuthToken   string                 `json:"auth_token"`
		} `json:"cases"`
	}
	for index, c := range read[onboarding](t, "onboarding.json").Cases {
		pairing, err := pulsetrust.BuildPairing(&c.Config, c.InstanceID, c.AuthToken, c.InstanceURL)
		r.hear(fmt.Sprintf("pairing %d %s", index, c.Name), "", nil, err)
		var diagnostics struct{ Diagnostics json.RawMessage }
		if err == nil && json.Unmarshal(pairing.Payload, &diagnostics) == nil && len(diagnostics.Diagnostics) > 2 {
			r.hear(fmt.Sprintf("pairing %d %s, diagnostics", index, c.Name), "", []string{string(diagnostics.Diagnostics)}, nil)
		}
	}
	for _, code := range []string{
		"", "ü", "pulse://connect", "pulse://connect?auth_token=%zz", `{"schema":"\"ü\""}`, `"a \"text\" ü"`, `[]`, `{"relay":1}`,
		"pulse://connect?auth_token=t&auth_token=u", "pulse://connect?auth_token=t&instance_id=relay_x",
		"pulse://connect?auth_token=t&instance_id=relay_2e1b0929e6fd7c52&relay_url=ws%3A%2F%2Frelay.example.test",
		"pulse://connect?auth_token=t&instance_id=%22&relay_url=wss%3A%2F%2Frelay.example.test&schema=%22%C3%BC",
		"pulse://connect?auth_token=t&instance_id=relay_2e1b0929e6fd7c52&relay_url=%22%C3%BC", "pulse://connect?" + strings.Repeat("x", 5000),
	} {
		_, err := pulsetrust.ParsePairingCode(code)
		r.refused("code "+code[:min(len(code), 120)], err)
	}
	identity := must[*pulsetrust.Identity](t)(pulsetrust.GenerateIdentity())
	for _, message := range [][]byte{nil, {32}, make([]byte, 40), append([]byte{32}, make([]byte, 32)...), append([]byte{31}, make([]byte, 96)...)} {
		_, _, err := pulsetrust.AcceptKeyExchange(identity, message)
		r.refused(fmt.Sprintf("key exchange %x", message), err)
		_, err = must[*pulsetrust.Handshake](t)(pulsetrust.StartHandshake()).Finish(message, must[string](t)(identity.PublicKey()))
		r.refused(fmt.Sprintf("answer to a key exchange %x", message), err)
	}
	handshake := must[*pulsetrust.Handshake](t)(pulsetrust.StartHandshake())
	channel, _, err := pulsetrust.AcceptKeyExchange(identity, must[[]byte](t)(handshake.Message()))
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range [][]byte{nil, make([]byte, 27), make([]byte, 28), append(make([]byte, 11), make([]byte, 30)...), {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
		_, err := channel.Open(message)
		r.refused(fmt.Sprintf("message %x", message), err)
	}
	for _, parts := range [][3]string{{"", "", ""}, {"ü", "", ""}, {"AAAA", "AAAA", "x"}} {
		_, err := pulsetrust.IdentityFromPrivateKey(parts[0])
		r.refused(fmt.Sprintf("identity %q", parts), err)
	}
}

// ofArguments are calls that a program makes wrongly.
func (r *refusals) ofArguments() {
	t := r.t
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys("", ""))
	_, err := pulsetrust.OpenDataDir("")
	r.refused("no path", err)
	_, err = pulsetrust.CreateDataDir("/nowhere", "ü")
	r.refused("a legacy key", err)
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(t.TempDir()))
	defer dir.Close()
	for _, text := range []string{`"ü"`, `{"entitlement_jwt":1}`, `[]`, `{"limits":{"a":"b"}}`, `{"a":1,"a":2}`} {
		_, err = dir.SaveBillingState("default", json.RawMessage(text), "")
		r.hear("billing to save "+text, "", nil, err)
		_, err = dir.ResolveBilling(pulsetrust.RuntimeConfig{}, keys, "", json.RawMessage(text), time.Unix(1, 0))
		r.hear("billing to resolve "+text, "", nil, err)
	}
	_, err = pulsetrust.VerifyToken(keys, "a.b.c", pulsetrust.LeaseChecks{}, time.Unix(1, 0))
	r.refused("no keys", err)
	_, err = pulsetrust.VerifyToken(keys, "\xff", checksFor(""), time.Unix(1, 0))
	r.refused("no UTF-8", err)
	_, err = pulsetrust.NewTrustKeys("ü,", "")
	r.refused("trust keys", err)
	_, err = dir.DeriveKey("")
	r.refused("no purpose", err)
	order := pulsetrust.TenantOrder{TenantID: "\"ü\"", BaseURL: "ftp://\"ü\""}
	seed := base64.StdEncoding.EncodeToString([]byte("a test key, never used otherwise"))
	_, err = dir.IssueBillingState(order, seed, time.Unix(1, 0))
	r.refused("an order", err)
	order = pulsetrust.TenantOrder{TenantID: "t", BaseURL: "https://cloud.example.test", SubscriptionState: "\"ü\""}
	_, err = dir.IssueBillingState(order, seed, time.Unix(1, 0))
	r.hear("a state", "", nil, err)
	refresh := pulsetrust.RefreshSettings{OrgID: "default", InstanceHost: "ü"}
	for _, body := range []string{"", `"ü"`, `{}`, `{"entitlement_jwt":1}`, `{"entitlement_jwt":" "}`, `{"entitlement_jwt":"ü"}`} {
		_, _, err = refresh.Answered(keys, 200, []byte(body), time.Unix(1, 0))
		r.refused("answer to a refresh "+body, err)
	}
	identity := must[*pulsetrust.Identity](t)(pulsetrust.GenerateIdentity())
	for _, settings := range []pulsetrust.InstanceSettings{{}, {ServerURL: "http://\"ü\"", Credential: "c"}} {
		_, err = pulsetrust.NewInstanceSession(settings, identity, keys)
		r.hear("session to "+settings.ServerURL, "", nil, err)
	}
	_, err = pulsetrust.QRSVG(strings.Repeat("x", 5000))
	r.refused("a long QR code", err)
}

func firstOf(errors ...error) error {
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}

func replaced(path, name string, by func(file string) error) error {
	file := filepath.Join(path, name)
	return firstOf(os.Remove(file), by(file))
}
