package pulsetrust

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// pipes is a relay for one instance that does nothing but note what it is sent.
type pipes struct {
	mutex sync.Mutex
	sent  []Frame
	read  chan []byte
}

func (p *pipes) Read(ctx context.Context) ([]byte, error) {
	select {
	case message, ok := <-p.read:
		if !ok {
			return nil, errors.New("closed")
		}
		return message, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Write(_ context.Context, message []byte) error {
	frame, err := DecodeFrame(message)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.sent = append(p.sent, frame)
	return err
}

func (p *pipes) Close(int) error { return nil }

// An instance registers with what its settings say, is told of its registration, and ends with its context.
func TestASessionRuns(t *testing.T) {
	identity, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	defer identity.Close()
	settings := InstanceSettings{ServerURL: "wss://relay.example.test/ws/instance", Credential: "lease", InstanceSecret: "secret"}
	session, err := NewInstanceSession(settings, identity, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := session.Accept(1); !isCode(err, ErrSessionChannel) {
		t.Errorf("a channel that nobody offered: %v", err)
	}
	relay := &pipes{read: make(chan []byte, 1)}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var events []string
	dial := func(_ context.Context, url string) (Conn, error) {
		if url != settings.ServerURL {
			t.Errorf("it connects to %s", url)
		}
		ack, err := EncodeControl(0, RegisterAck{InstanceID: "relay_0123456789abcdef", SessionToken: "s"})
		relay.read <- ack
		return relay, err
	}
	err = session.Run(ctx, dial, func(event SessionEvent) {
		events = append(events, event.Event)
		if event.Event == "registered" {
			cancel()
		}
	})
	if err != nil || len(events) != 2 || events[0] != "registered" || events[1] != "disconnected" {
		t.Fatalf("%v %v", events, err)
	}
	var register Register
	if err := DecodeControl(relay.sent[0], &register); err != nil || register.LicenseToken != "lease" || register.InstanceHint != "secret" {
		t.Errorf("%v", err)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	identity, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	defer identity.Close()
	if _, err := NewInstanceSession(InstanceSettings{ServerURL: "https://relay.example.test"}, identity, nil); !isCode(err, ErrServerURLInvalid) {
		t.Errorf("%v", err)
	}
	if _, err := NewPhoneSession("no code", PhoneSettings{}); !isCode(err, ErrPairingMalformed) {
		t.Errorf("%v", err)
	}
}

// A body that is too large was called a wrong argument.
func TestARequestSaysWhatIsWrongWithIt(t *testing.T) {
	phone := newPhone(t, PhoneSettings{})
	defer phone.Close()
	if _, err := phone.Request("POST", "/", nil, make([]byte, 48129)); !isCode(err, ErrBodyTooLarge) {
		t.Errorf("a large body: %v", err)
	}
	for _, body := range [][]byte{nil, {}, make([]byte, 48128)} {
		if _, err := phone.Request("GET", "/", nil, body); !isCode(err, ErrSessionNotOpen) {
			t.Errorf("before it is ready, %d bytes: %v", len(body), err)
		}
	}
}

func isCode(err error, code Code) bool {
	var refused *Error
	return errors.As(err, &refused) && refused.Code == code
}

// newPhone is a phone that has scanned the code of an instance.
func newPhone(t *testing.T, settings PhoneSettings) *Session {
	t.Helper()
	identity, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	defer identity.Close()
	public, err := identity.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	config := RelayConfig{Enabled: true, ServerURL: "wss://relay.example.test/ws/instance", IdentityPublicKey: public}
	offer, err := BuildPairing(&config, "relay_0123456789abcdef", "token", "")
	if err != nil {
		t.Fatal(err)
	}
	phone, err := NewPhoneSession(offer.DeepLink, settings)
	if err != nil {
		t.Fatal(err)
	}
	return phone
}
