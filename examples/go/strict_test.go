package pulsetrust_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// Text that is not UTF-8 was saved, sent and registered with as another text.
func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	const broken = "a\xffb"
	identity := must[*pulsetrust.Identity](t)(pulsetrust.GenerateIdentity())
	public := must[string](t)(identity.PublicKey())
	_, instance := channelPair(t)
	config := pulsetrust.RelayConfig{Enabled: true, ServerURL: "wss://relay.example.test/ws/instance", InstanceSecret: broken}
	settings := pulsetrust.InstanceSettings{ServerURL: config.ServerURL, Credential: broken, InstanceSecret: "s"}
	offer := must[pulsetrust.Pairing](t)(pulsetrust.BuildPairing(&pulsetrust.RelayConfig{
		Enabled: true, ServerURL: config.ServerURL, IdentityPublicKey: public,
	}, "relay_0123456789abcdef", "token", ""))
	phone := must[*pulsetrust.Session](t)(pulsetrust.NewPhoneSession(offer.DeepLink, pulsetrust.PhoneSettings{}))
	defer phone.Close()
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(t.TempDir()))
	defer dir.Close()
	for name, call := range map[string]func() error{
		"SaveRelayConfig": func() error { _, err := dir.SaveRelayConfig(&config); return err },
		"WithEnvironment": func() error { _, _, err := config.WithEnvironment("", ""); return err },
		"BuildPairing": func() error {
			_, err := pulsetrust.BuildPairing(&config, "relay_0123456789abcdef", "t", "")
			return err
		},
		"settings": func() error { _, err := pulsetrust.NewInstanceSession(settings, identity, nil); return err },
		"phone settings": func() error {
			_, err := pulsetrust.NewPhoneSession(offer.DeepLink, pulsetrust.PhoneSettings{Platform: broken})
			return err
		},
		"path":        func() error { _, err := phone.Request("GET", "/"+broken, nil, nil); return err },
		"header":      func() error { _, err := phone.Request("GET", "/", map[string]string{"x": broken}, nil); return err },
		"header name": func() error { _, err := phone.Request("GET", "/", map[string]string{broken: "x"}, nil); return err },
		"response": func() error {
			_, err := instance.SealResponse(pulsetrust.ProxyResponse{ID: "1", Status: 200, Headers: map[string]string{"x": broken}})
			return err
		},
		"control": func() error {
			_, err := pulsetrust.EncodeControl(0, pulsetrust.Register{LicenseToken: broken})
			return err
		},
		"order": func() error {
			_, err := dir.IssueBillingState(pulsetrust.TenantOrder{Email: broken}, "", time.Now())
			return err
		},
		"features": func() error { _, err := pulsetrust.TierCapabilities("pro", broken); return err },
		"limits":   func() error { _, err := pulsetrust.ScrubLimits("pro", map[string]int64{broken: 1}); return err },
		"check":    func() error { _, err := pulsetrust.ConnectionCheck{AuthToken: broken}.Run(); return err },
		"refresh": func() error {
			_, err := (&pulsetrust.RefreshSettings{RefreshToken: broken}).Request()
			return err
		},
	} {
		if err := call(); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := instance.SealResponse(pulsetrust.ProxyResponse{ID: "1", Status: 200, Body: []byte(broken)}); err != nil {
		t.Errorf("bytes are not text: %v", err)
	}
}

// What Seal returned for the last 28 lengths below 16 MiB was refused by Unseal; and a channel sealed what no frame carries.
func TestWhatIsSealedCanBeOpened(t *testing.T) {
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(t.TempDir()))
	defer dir.Close()
	most := 16<<20 - 28
	if _, err := dir.Seal(make([]byte, most+1)); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("one byte too many: %v", err)
	}
	sealed := must[[]byte](t)(dir.Seal(make([]byte, most)))
	if opened, err := dir.Unseal("a name.enc", sealed); err != nil || len(opened) != most {
		t.Errorf("%d bytes, %v", len(opened), err)
	}

	phone, instance := channelPair(t)
	for length, expected := range map[int]error{pulsetrust.MaxPayload - 28: nil, pulsetrust.MaxPayload - 27: pulsetrust.ErrFrameTooLarge} {
		sealed, err := phone.Seal(make([]byte, length))
		if !errors.Is(err, expected) {
			t.Errorf("%d bytes: %v", length, err)
		}
		if err != nil {
			continue
		}
		if _, err := pulsetrust.EncodeFrame(pulsetrust.Frame{Type: pulsetrust.FrameData, Channel: 1, Payload: sealed}); err != nil {
			t.Error(err)
		}
		must[[]byte](t)(instance.Open(sealed))
	}
}

// A control payload was read as encoding/json reads: null was an empty one, and names were compared without their case.
func TestControlPayloadsAreReadAsTheLibraryDoes(t *testing.T) {
	read := func(text string) (pulsetrust.Register, error) {
		register := pulsetrust.Register{LicenseToken: "of before", ClientVersion: "of before"}
		err := pulsetrust.DecodeControl(pulsetrust.Frame{Type: pulsetrust.FrameRegister, Payload: []byte(text)}, &register)
		return register, err
	}
	for _, text := range []string{
		`null`, `"x"`, `{}{}`, `{} x`, `{"license_token":"a","license_token":"b"}`, "{\"license_token\":\"\xff\"}", `{"license_token":"a"`,
		`{"license_token":"a",}`, `{"license_token"}`, `{1:2}`,
	} {
		if register, err := read(text); !errors.Is(err, pulsetrust.ErrControlPayload) || register.ClientVersion != "of before" {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, expected := range map[string]string{
		`{"LICENSE_TOKEN":"a"}`: "", `{"license_token":null}`: "", `{"license_token":"a","License_Token":"b","x":{"y":[1]}}`: "a",
	} {
		if register, err := read(text); err != nil || register.LicenseToken != expected || register.ClientVersion != "" {
			t.Errorf("%q: %q, %v", text, register.LicenseToken, err)
		}
	}
	var connect pulsetrust.Connect
	frame := pulsetrust.Frame{Type: pulsetrust.FrameConnect, Payload: []byte(
		`{"instance_id":"x","notification_preferences":{"critical_enabled":true,"Warning_Enabled":true}}`)}
	err := pulsetrust.DecodeControl(frame, &connect)
	if preferences := connect.NotificationPreferences; err != nil || preferences == nil || !preferences.CriticalEnabled || preferences.WarningEnabled {
		t.Errorf("%+v, %v", preferences, err)
	}
}

// What an event does not have was an error of encoding/json.
func TestAskingAnEventForWhatItDoesNotHave(t *testing.T) {
	event := pulsetrust.SessionEvent{Event: "ready"}
	if _, err := event.ProxyRequest(); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("%v", err)
	}
	if err := event.Refusal(); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("%v", err)
	}
	if _, err := event.RequestNumber(); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("%v", err)
	}
	event = pulsetrust.SessionEvent{Event: "response", Request: json.RawMessage("7")}
	if number, err := event.RequestNumber(); err != nil || number != 7 {
		t.Errorf("%d, %v", number, err)
	}
	event = pulsetrust.SessionEvent{Event: "refresh_failed", Error: json.RawMessage(`{"code":304,"message":"m"}`)}
	if err := event.Refusal(); err == nil || errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("%v", err)
	}
	identity := must[*pulsetrust.Identity](t)(pulsetrust.GenerateIdentity())
	settings := pulsetrust.InstanceSettings{
		ServerURL: "wss://relay.example.test/ws/instance", Credential: "c", InstanceSecret: "s",
		Refresh: &pulsetrust.RefreshSettings{OrgID: "default", InstanceHost: "t.example.test", RefreshToken: "r"},
	}
	if _, err := pulsetrust.NewInstanceSession(settings, identity, nil); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("a refresh without keys: %v", err)
	}
}
