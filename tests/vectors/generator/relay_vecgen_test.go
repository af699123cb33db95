package relay

// Writes frames, key exchanges and channel messages made by this package. Copied into a scratch checkout by generate.sh.

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func vecBytes(name string) []byte {
	s := sha256.Sum256([]byte("pulse-trust throw-away test key " + os.Getenv("VEC_SEED") + ": " + name))
	return s[:]
}

func vecWrite(t *testing.T, name string, v any) {
	t.Helper()
	out := os.Getenv("VEC_OUT")
	if out == "" {
		t.Skip("VEC_OUT not set")
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, name), append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestVecgenFrames(t *testing.T) {
	type fv struct {
		Name    string `json:"name"`
		Type    string `json:"type"`
		Channel uint32 `json:"channel"`
		Payload string `json:"payload_text"`
		Hex     string `json:"frame_hex"`
	}
	var fs []fv
	add := func(name string, typ byte, ch uint32, v any) {
		var payload []byte
		switch p := v.(type) {
		case nil:
		case []byte:
			payload = p
		default:
			payload, _ = json.Marshal(p)
		}
		b, err := EncodeFrame(NewFrame(typ, ch, payload))
		if err != nil {
			t.Fatal(err)
		}
		fs = append(fs, fv{name, FrameTypeName(typ), ch, string(payload), hex.EncodeToString(b)})
	}
	tr := &PushNotificationPreferences{CriticalEnabled: true, ApprovalEnabled: true}
	add("register-first", FrameRegister, 0, RegisterPayload{LicenseToken: "aaa.bbb.ccc", InstanceHint: "t-vec0000001.cloud.example.test", ClientVersion: "6.3.0", IdentityPubKey: base64.StdEncoding.EncodeToString(vecBytes("pub"))})
	add("register-resume", FrameRegister, 0, RegisterPayload{LicenseToken: "aaa.bbb.ccc", SessionToken: "sess_1", InstanceHint: "relay_2e1b0929e6fd7c52", ClientVersion: "6.3.0"})
	add("register-minimal", FrameRegister, 0, RegisterPayload{LicenseToken: "a.b.c"})
	add("register-html-characters", FrameRegister, 0, RegisterPayload{LicenseToken: "a<b>&\u2028c", InstanceHint: "\u00e9\"\\\n"})
	add("register-ack", FrameRegisterAck, 0, RegisterAckPayload{InstanceID: "relay_2e1b0929e6fd7c52", SessionToken: "sess_1", ExpiresAt: 1774483200})
	add("connect", FrameConnect, 0, ConnectPayload{InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok_1", DeviceToken: "dev_1", Platform: "ios", NotificationPreferences: tr})
	add("connect-minimal", FrameConnect, 0, ConnectPayload{InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok_1"})
	add("connect-ack", FrameConnectAck, 0, ConnectAckPayload{ChannelID: 4294967295, InstanceID: "relay_2e1b0929e6fd7c52"})
	add("channel-open", FrameChannelOpen, 7, ChannelOpenPayload{ChannelID: 7, AuthToken: "tok_1"})
	add("channel-close", FrameChannelClose, 7, ChannelClosePayload{ChannelID: 7, Reason: "invalid token"})
	add("channel-close-no-reason", FrameChannelClose, 7, ChannelClosePayload{ChannelID: 7})
	add("data", FrameData, 7, []byte("opaque"))
	add("key-exchange-from-app", FrameKeyExchange, 7, MarshalKeyExchangePayload([]byte("0123456789abcdef0123456789abcdef"), nil))
	add("ping", FramePing, 0, nil)
	add("pong", FramePong, 0, nil)
	for _, c := range []string{ErrCodeInternal, ErrCodeNotFound, ErrCodeAuthFailed, ErrCodeLicenseInvalid, ErrCodeLicenseExpired, ErrCodeRateLimited, ErrCodeDuplicate, ErrCodeChannelFull, ErrCodeDraining} {
		add("error-"+strings.ToLower(c), FrameError, 0, ErrorPayload{Code: c, Message: "m"})
	}
	add("drain", FrameDrain, 0, DrainPayload{Reason: "maintenance", ReconnURL: "wss://relay2.example.test/ws/instance"})
	add("drain-empty", FrameDrain, 0, DrainPayload{})
	add("push", FramePushNotification, 0, PushNotificationPayload{Type: "patrol_critical", Priority: "high", Title: "T", Body: "B", InstanceID: "relay_2e1b0929e6fd7c52", ActionType: "view_finding", ActionID: "f1", Category: "capacity", Severity: "critical"})
	req, _ := json.Marshal(ProxyRequest{ID: "1", Method: "POST", Path: "/api/x?y=1", Headers: map[string]string{"Content-Type": "application/json", "Accept": "*/*"}, Body: base64.StdEncoding.EncodeToString([]byte(`{"a":1}`))})
	resp, _ := json.Marshal(ProxyResponse{ID: "1", Status: 200, Headers: map[string]string{"Content-Type": "text/event-stream"}, Body: "ZGF0YQ==", Stream: true})

	type dv struct {
		Name  string `json:"name"`
		Hex   string `json:"hex"`
		Error string `json:"error"`
	}
	bad := []dv{{Name: "empty", Hex: ""}, {Name: "five-bytes", Hex: "0108000000"}, {Name: "version-0", Hex: "000800000000"}, {Name: "version-2", Hex: "020800000000"}, {Name: "type-0", Hex: "010000000000"}, {Name: "type-14", Hex: "010e00000000"}, {Name: "type-255", Hex: "01ff00000000"}, {Name: "six-bytes", Hex: "010800000000"}}
	for i := range bad {
		b, _ := hex.DecodeString(bad[i].Hex)
		_, err := DecodeFrame(b)
		switch {
		case err == nil:
		case errors.Is(err, ErrFrameTooShort):
			bad[i].Error = "too_short"
		case errors.Is(err, ErrUnsupportedVersion):
			bad[i].Error = "unsupported_version"
		case errors.Is(err, ErrUnknownFrameType):
			bad[i].Error = "unknown_type"
		case errors.Is(err, ErrPayloadTooLarge):
			bad[i].Error = "payload_too_large"
		}
	}
	size := map[string]bool{}
	for _, n := range []int{65535, 65536, 65537} {
		_, e1 := EncodeFrame(NewFrame(FrameData, 1, make([]byte, n)))
		b := append([]byte{1, 7, 0, 0, 0, 1}, make([]byte, n)...)
		_, e2 := DecodeFrame(b)
		size[map[int]string{65535: "65535", 65536: "65536", 65537: "65537"}[n]] = e1 == nil && e2 == nil
	}
	vecWrite(t, "frames.json", map[string]any{
		"about":          "Frames as the deployed runtime writes and reads them. Control payloads are compact JSON in the deployed field order, with Go's escaping of < > & U+2028 U+2029. decode: bytes and the class of error (empty: none). payload_sizes: whether a payload of that many bytes encodes and decodes. proxy_request, proxy_response: what goes inside DATA; proxy_max_body: the largest body before base64, in bytes.",
		"frames":         fs,
		"decode":         bad,
		"payload_sizes":  size,
		"proxy_request":  string(req),
		"proxy_response": string(resp),
		"proxy_max_body": maxProxyBodySize,
	})
}

func TestVecgenChannel(t *testing.T) {
	ident := ed25519.NewKeyFromSeed(vecBytes("identity"))
	identPriv, identPub := base64.StdEncoding.EncodeToString(ident), base64.StdEncoding.EncodeToString(ident.Public().(ed25519.PublicKey))
	fp, err := ComputeFingerprint(identPub)
	if err != nil {
		t.Fatal(err)
	}
	appK, err := ecdh.X25519().NewPrivateKey(vecBytes("app ephemeral"))
	if err != nil {
		t.Fatal(err)
	}
	insK, _ := ecdh.X25519().NewPrivateKey(vecBytes("instance ephemeral"))
	shared, _ := insK.ECDH(appK.PublicKey())
	sig, err := SignKeyExchange(insK.PublicKey().Bytes(), identPriv)
	if err != nil {
		t.Fatal(err)
	}
	a2i, _ := deriveKey(shared, hkdfInfoAppToInstance)
	i2a, _ := deriveKey(shared, hkdfInfoInstanceToApp)
	app, _ := DeriveChannelKeys(appK, insK.PublicKey(), false)
	ins, _ := DeriveChannelKeys(insK, appK.PublicKey(), true)
	type mv struct {
		Plain  string `json:"plaintext_hex"`
		Sealed string `json:"sealed_hex"`
	}
	var a, b []mv
	for _, p := range [][]byte{[]byte(`{"id":"1","method":"GET","path":"/api/status"}`), {}, []byte("x"), make([]byte, 1000), vecBytes("m")} {
		s, err := app.Encrypt(p)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ins.Decrypt(s); err != nil || string(got) != string(p) {
			t.Fatal("round trip")
		}
		a = append(a, mv{hex.EncodeToString(p), hex.EncodeToString(s)})
		s, _ = ins.Encrypt(p)
		if _, err := app.Decrypt(s); err != nil {
			t.Fatal(err)
		}
		b = append(b, mv{hex.EncodeToString(p), hex.EncodeToString(s)})
	}
	// order: which arrivals a fresh receiver takes
	fresh, _ := DeriveChannelKeys(insK, appK.PublicKey(), true)
	type ov struct {
		Index    int  `json:"message"`
		Accepted bool `json:"accepted"`
	}
	var order []ov
	for _, i := range []int{0, 0, 2, 1, 3, 2, 4} {
		s, _ := hex.DecodeString(a[i].Sealed)
		_, err := fresh.Decrypt(s)
		order = append(order, ov{i, err == nil})
	}
	vecWrite(t, "channel.json", map[string]any{
		"about":                             "A key exchange and messages. arrivals: message indices of app_to_instance given in this order to a fresh instance side.",
		"identity_private_key":              identPriv,
		"identity_public_key":               identPub,
		"identity_fingerprint":              fp,
		"app_ephemeral_private_hex":         hex.EncodeToString(appK.Bytes()),
		"app_ephemeral_public_hex":          hex.EncodeToString(appK.PublicKey().Bytes()),
		"instance_ephemeral_private_hex":    hex.EncodeToString(insK.Bytes()),
		"instance_ephemeral_public_hex":     hex.EncodeToString(insK.PublicKey().Bytes()),
		"app_key_exchange_payload_hex":      hex.EncodeToString(MarshalKeyExchangePayload(appK.PublicKey().Bytes(), nil)),
		"instance_key_exchange_payload_hex": hex.EncodeToString(MarshalKeyExchangePayload(insK.PublicKey().Bytes(), sig)),
		"shared_secret_hex":                 hex.EncodeToString(shared),
		"app_to_instance_key_hex":           hex.EncodeToString(a2i),
		"instance_to_app_key_hex":           hex.EncodeToString(i2a),
		"app_to_instance":                   a,
		"instance_to_app":                   b,
		"arrivals":                          order,
	})
}

func TestVecgenConfig(t *testing.T) {
	type uv struct {
		URL string `json:"url"`
		OK  bool   `json:"valid"`
		Our string `json:"ours,omitempty"`
	}
	var us []uv
	for _, u := range []string{"wss://relay.pulserelay.pro/ws/instance", "ws://127.0.0.1:8080/ws/instance", "WSS://Relay.Example.Test/ws/instance", "wss://relay.example.test", "wss://relay.example.test/", "wss://relay.example.test:443/ws", "wss://[2001:db8::1]:8443/ws", "", "relay.example.test", "http://relay.example.test/", "https://relay.example.test/", "wss://", "wss:///ws", "wss://user@relay.example.test/", "wss://user:pw@relay.example.test/", "wss://relay.example.test/?a=b", "wss://relay.example.test/#f", "wss://relay.example.test:0/", "wss://relay.example.test:65536/", "wss://relay.example.test:65535/", "wss://relay.example.test:/", "wss://relay example.test/", "wss://relay.example.test/%zz", "wss://:8080/", " wss://relay.example.test/"} {
		our := ""
		if u == "wss://:8080/" {
			our = "error: empty host"
		}
		us = append(us, uv{u, validateRelayServerURL(u) == nil, our})
	}
	type ev struct {
		Enabled string `json:"PULSE_RELAY_ENABLED"`
		Server  string `json:"PULSE_RELAY_SERVER"`
		Start   Config `json:"file"`
		Out     Config `json:"effective"`
	}
	var es []ev
	for _, en := range []string{"", "1", "TRUE", " yes ", "Y", "on", "0", "false", "No", "n", "OFF", "maybe", "2"} {
		for _, start := range []Config{{Enabled: false, ServerURL: DefaultServerURL}, {Enabled: true, ServerURL: "wss://own.example.test/ws/instance", InstanceSecret: "s"}} {
			for _, sv := range []string{"", "wss://env.example.test/ws/instance", "https://env.example.test/"} {
				if sv != "" && en != "" && en != "1" && en != "maybe" {
					continue
				}
				t.Setenv(EnvRelayEnabled, en)
				t.Setenv(EnvRelayServerURL, sv)
				c := start
				ApplyEnvOverrides(&c)
				es = append(es, ev{en, sv, start, c})
			}
		}
	}
	def, _ := json.MarshalIndent(DefaultConfig(), "", "  ")
	vecWrite(t, "relay_config.json", map[string]any{
		"about":          "Relay server URL validity, environment over file, and the default config. Where 'ours' is given, the same input is that error here.",
		"server_urls":    us,
		"environment":    es,
		"default_config": json.RawMessage(def),
	})
}
