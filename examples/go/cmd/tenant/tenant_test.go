package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A fresh tenant becomes visible to a phone, and stays so over the relay's restarts.
func TestATenantOutlivesItsRelay(t *testing.T) {
	tenant, provisioned := startProvisioned(t)
	key, data := text(provisioned, "lease_public_key"), t.TempDir()
	relay := startRelay(t, key, data, "127.0.0.1:0")
	tenant.say(t, relay.url())
	fingerprint := text(tenant.await(t, "bootstrapped"), "fingerprint")
	first := tenant.await(t, "registered")
	want, err := pulsetrust.InstanceIDOfHost(text(provisioned, "public_url"))
	if err != nil || text(first, "instance_id") != want || first["resumed"] != false {
		t.Fatalf("%v, expected %s %v", first, want, err)
	}
	fetchStatus(t, first, fingerprint)

	relay.kill()
	tenant.await(t, "disconnected")
	relay = startRelay(t, key, data, relay.address)
	resumed := tenant.await(t, "registered")
	if resumed["resumed"] != true || text(resumed, "pairing_code") != text(first, "pairing_code") {
		t.Errorf("on the same data directory: %v, first %v", resumed, first)
	}
	fetchStatus(t, resumed, fingerprint)

	relay.kill()
	relay = startRelay(t, key, t.TempDir(), relay.address)
	for {
		refused := tenant.await(t, "disconnected")
		if refused["wire_code"] == "AUTH_FAILED" {
			if refused["retry_in_ms"] != 0.0 {
				t.Errorf("a forgotten session is followed by a wait: %v", refused)
			}
			break
		}
	}
	afresh := tenant.await(t, "registered")
	if afresh["resumed"] != false || text(afresh, "instance_id") != want {
		t.Errorf("on a fresh data directory: %v", afresh)
	}
	fetchStatus(t, afresh, fingerprint)
	tenant.stop(t)
}

// A container that is started again is the same instance, and a paired phone stays paired.
func TestATenantIsStartedAgain(t *testing.T) {
	path := t.TempDir()
	tenant := startProgram(t, nil, "--provision", "--data-dir", path)
	provisioned := tenant.await(t, "provisioned")
	relay := startRelay(t, text(provisioned, "lease_public_key"), t.TempDir(), "127.0.0.1:0")
	tenant.say(t, relay.url())
	tenant.await(t, "registered")
	tenant.stop(t)
	environment := []string{
		"PULSE_HOSTED_MODE=true",
		"PULSE_PUBLIC_URL=" + text(provisioned, "public_url"),
		"PULSE_TRIAL_ACTIVATION_PUBLIC_KEY=" + text(provisioned, "lease_public_key"),
		"PULSE_LICENSE_PUBLIC_KEY=" + text(provisioned, "license_public_key"),
		"PULSE_TENANT_AUTH_TOKEN=kept",
	}
	var codes []string
	for _, arguments := range [][]string{{"--relay-url", relay.url()}, nil} {
		if arguments == nil {
			environment = append(environment, "PULSE_RELAY_SERVER="+relay.url())
		}
		tenant = startProgram(t, environment, append(arguments, "--data-dir", path)...)
		started := tenant.await(t, "bootstrapped")
		if started["outcome"] != "unchanged" || text(started, "relay_url") != relay.url() {
			t.Errorf("%v", started)
		}
		registered := tenant.await(t, "registered")
		fetchStatus(t, registered, text(started, "fingerprint"))
		codes = append(codes, text(registered, "pairing_code"))
		tenant.stop(t)
	}
	if codes[0] != codes[1] || !strings.Contains(codes[0], "auth_token=kept") {
		t.Errorf("%v", codes)
	}
	refused := startProgram(t, nil, "--provision", "--data-dir", path)
	refused.await(t, "failed") // what is in the directory is not overwritten
}

// A throw-away tenant never calls at the relay that is the default.
func TestAProvisionedTenantIsToldItsRelay(t *testing.T) {
	tenant, _ := startProvisioned(t)
	tenant.say(t, "go")
	if line := tenant.await(t, "failed"); !strings.Contains(text(line, "message"), "--relay-url") {
		t.Errorf("%v", line)
	}
	relay := newScriptedRelay(t)
	tenant = startProgram(t, nil, "--provision", "--data-dir", t.TempDir(), "--relay-url", relay.url)
	tenant.await(t, "provisioned")
	tenant.say(t, "go")
	relay.accept()
}

func fetchStatus(t *testing.T, registered event, fingerprint string) {
	t.Helper()
	phone := scan(t, text(registered, "pairing_code"))
	if *phone.code.IdentityFingerprint != fingerprint {
		t.Errorf("the code shows %s, the runtime has %s", *phone.code.IdentityFingerprint, fingerprint)
	}
	phone.establish()
	response := phone.fetch("GET", "/api/status")
	var status struct{ Status string }
	if err := json.Unmarshal(response.Body, &status); err != nil || response.Status != 200 || status.Status != "healthy" {
		t.Errorf("/api/status: %d %s %v", response.Status, response.Body, err)
	}
	if kind := response.Headers["Content-Type"]; kind != "application/json" {
		t.Errorf("/api/status is %q", kind)
	}
	_ = phone.conn.CloseNow()
}

// What a phone does wrong ends its channel with the library's number, and the tenant goes on.
func TestPhonesThatMisbehave(t *testing.T) {
	tenant, provisioned := startProvisioned(t)
	relay := startRelay(t, text(provisioned, "lease_public_key"), t.TempDir(), "127.0.0.1:0")
	tenant.say(t, relay.url())
	code := text(tenant.await(t, "registered"), "pairing_code")
	closed := func(phone *phone, reason string) {
		t.Helper()
		var close pulsetrust.ChannelClose
		if err := pulsetrust.DecodeControl(phone.receive(), &close); err != nil || !strings.Contains(close.Reason, reason) {
			t.Errorf("expected %s, received %q %v", reason, close.Reason, err)
		}
	}
	established := func() *phone {
		phone := scan(t, code)
		phone.establish()
		return phone
	}
	sealed := func(phone *phone) []byte {
		bytes, err := phone.keys.SealRequest(pulsetrust.ProxyRequest{ID: "1", Method: "GET", Path: "/api/status"})
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	t.Run("another token", func(t *testing.T) {
		phone := scan(t, code)
		phone.code.AuthToken += "x"
		var refusal pulsetrust.ErrorMessage
		err := pulsetrust.DecodeControl(phone.connect(), &refusal)
		if err != nil || refusal.Code != "AUTH_FAILED" || refusal.Message != "invalid auth token" {
			t.Errorf("%+v %v", refusal, err)
		}
	})
	t.Run("no key exchange", func(t *testing.T) {
		// The deployed phones that know none are answered in plain text.
		phone := scan(t, code)
		phone.connect()
		phone.sendFrame(pulsetrust.FrameData, []byte(`{"id":"1","method":"GET","path":"/api/status"}`))
		var response pulsetrust.ProxyResponse
		if err := json.Unmarshal(phone.receive().Payload, &response); err != nil || response.Status != 200 {
			t.Errorf("%+v %v", response, err)
		}
	})
	t.Run("a malformed key exchange", func(t *testing.T) {
		phone := scan(t, code)
		phone.connect()
		phone.sendFrame(pulsetrust.FrameKeyExchange, []byte{32, 1, 2, 3})
		closed(phone, "key exchange: shorter than its public key")
	})
	t.Run("a point of small order", func(t *testing.T) {
		phone := scan(t, code)
		phone.connect()
		phone.sendFrame(pulsetrust.FrameKeyExchange, append([]byte{32}, make([]byte, 32)...))
		closed(phone, "the shared secret is all zero")
	})
	t.Run("a second key exchange", func(t *testing.T) {
		phone := established()
		phone.sendFrame(pulsetrust.FrameKeyExchange, append([]byte{32}, make([]byte, 32)...))
		closed(phone, "expected one key exchange, before the first request")
	})
	t.Run("a forged message", func(t *testing.T) {
		phone := established()
		message := sealed(phone)
		message[len(message)-1] ^= 1
		phone.sendFrame(pulsetrust.FrameData, message)
		closed(phone, "authentication failed")
	})
	t.Run("a replay", func(t *testing.T) {
		phone := established()
		message := sealed(phone)
		phone.sendFrame(pulsetrust.FrameData, message)
		phone.receive()
		phone.sendFrame(pulsetrust.FrameData, message)
		closed(phone, "counter 0 was used")
	})
	t.Run("what is not a request", func(t *testing.T) {
		// Answered as the deployed proxy answers it.
		phone := established()
		for asked, expected := range map[string]struct {
			id     string
			status int
		}{
			`{"id":1}`:                    {"", 400},
			`{"method":"GET","path":"/"}`: {"", 400},
			`{"id":"2","path":"/"}`:       {"2", 400},
			`{"id":"3","method":"GET","path":"/","body":"!"}`:                  {"3", 400},
			`{"id":"4","method":"GET","path":"/","body":"AAE"}`:                {"4", 400},
			`{"id":"5","method":"POST","path":"/","body":"` + largeBody + `"}`: {"5", 413},
		} {
			message, err := phone.keys.Seal([]byte(asked))
			if err != nil {
				t.Fatal(err)
			}
			phone.sendFrame(pulsetrust.FrameData, message)
			response, err := phone.keys.OpenResponse(phone.receive().Payload)
			if err != nil || response.ID != expected.id || response.Status != expected.status {
				t.Errorf("%.40s: %q %d %v", asked, response.ID, response.Status, err)
			}
		}
	})
	t.Run("requests that are refused", func(t *testing.T) {
		phone := established()
		for path, status := range map[string]int{"/api/none": 404, "http://another.example.test/": 400, "//another/": 400, "": 400} {
			if response := phone.fetch("GET", path); response.Status != status {
				t.Errorf("%q: %d", path, response.Status)
			}
		}
		if response := phone.fetch("GET", " api/status "); response.Status != 200 {
			t.Errorf("a path without its slash: %d", response.Status)
		}
		if response := phone.fetch("POST", "/api/status"); response.Status != 405 {
			t.Errorf("POST: %d", response.Status)
		}
		if response := phone.fetch("GET", "/api/status"); response.Status != 200 {
			t.Errorf("afterwards: %d", response.Status)
		}
	})
	tenant.stop(t)
}

// A tenant that cannot come up says why, by number.
func TestWhyATenantIsNotVisible(t *testing.T) {
	failed := func(t *testing.T, name string, environment []string, arguments ...string) {
		t.Helper()
		p := startProgram(t, environment, arguments...)
		if line := p.await(t, "failed"); line["name"] != name {
			t.Errorf("%v, expected %s", line, name)
		}
		if err := p.process.Wait(); err == nil {
			t.Error("the program ends with 0")
		}
	}
	t.Run("an empty directory", func(t *testing.T) {
		failed(t, "NO_LEASE", []string{"PULSE_HOSTED_MODE=true"}, "--data-dir", t.TempDir())
	})
	t.Run("not hosted", func(t *testing.T) {
		failed(t, "RELAY_DISABLED", nil, "--data-dir", t.TempDir())
	})
	t.Run("no directory", func(t *testing.T) {
		failed(t, "FILE_MISSING", []string{"PULSE_HOSTED_MODE=true"}, "--data-dir", t.TempDir()+"/none")
	})
	t.Run("an invalid key", func(t *testing.T) {
		failed(t, "KEY_ENCODING", []string{"PULSE_TRIAL_ACTIVATION_PUBLIC_KEY=x"}, "--data-dir", t.TempDir())
	})
	t.Run("a relay without the lease key", func(t *testing.T) {
		tenant, _ := startProvisioned(t)
		tenant.say(t, startRelay(t, "", t.TempDir(), "127.0.0.1:0").url())
		refused := tenant.await(t, "disconnected")
		if refused["wire_code"] != "LICENSE_INVALID" || !strings.Contains(text(refused, "message"), "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY") {
			t.Errorf("%v", refused)
		}
		tenant.stop(t)
	})
}

// largeBody is one byte over the limit.
var largeBody = base64.StdEncoding.EncodeToString(make([]byte, pulsetrust.MaxBody+1))
