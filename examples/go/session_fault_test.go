package pulsetrust

import (
	"context"
	"encoding/json"
	"testing"
	"time"
)

// registeredRelay answers REGISTER with an ACK on each connection, and then with what is given.
func registeredRelay(t *testing.T, then ...[]byte) (dial func(context.Context, string) (Conn, error), dials chan *pipes) {
	dials = make(chan *pipes, 10)
	return func(context.Context, string) (Conn, error) {
		relay := &pipes{read: make(chan []byte, 1+len(then))}
		ack, err := EncodeControl(0, RegisterAck{InstanceID: "relay_0123456789abcdef", SessionToken: "s"})
		relay.read <- ack
		for _, message := range then {
			relay.read <- message
		}
		dials <- relay
		return relay, err
	}, dials
}

// After a panic in handle that its caller recovered from, the next Run waited a minute for a connection that was over.
func TestRunGoesOnAfterAPanicInHandle(t *testing.T) {
	session := testInstance(t)
	dial, dials := registeredRelay(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	func() {
		defer func() {
			if cause := recover(); cause != "of the test" {
				t.Errorf("Run panics with %v", cause)
			}
		}()
		session.Run(ctx, dial, func(SessionEvent) { panic("of the test") })
	}()
	arrives(t, dials, "it dials")
	told := make(chan string, 10)
	ended := make(chan error, 1)
	go func() { ended <- session.Run(ctx, dial, func(event SessionEvent) { told <- event.Event }) }()
	select {
	case <-dials:
	case <-time.After(10 * time.Second):
		t.Fatal("the next Run does not dial")
	}
	for name := ""; name != "registered"; name = arrives(t, told, "it is registered again") {
	}
	cancel()
	if err := arrives(t, ended, "Run returns"); err != nil {
		t.Error(err)
	}
}

// A message of more than 16 MiB ended Run for good, where one of 70,000 bytes was answered with another connection.
func TestAMessageThatIsTooLongEndsTheConnectionAlone(t *testing.T) {
	for _, length := range []int{70_000, 17 << 20} {
		session := testInstance(t)
		message := make([]byte, length)
		message[0], message[1] = 1, byte(FramePing)
		dial, _ := registeredRelay(t, message)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		reasons := make(chan string, 10)
		ended := make(chan error, 1)
		go func() {
			ended <- session.Run(ctx, dial, func(event SessionEvent) {
				if event.Event == "disconnected" {
					reasons <- event.Reason
				}
			})
		}()
		select {
		case reason := <-reasons:
			if reason != "protocol_error" {
				t.Errorf("%d bytes: %s", length, reason)
			}
		case err := <-ended:
			t.Fatalf("%d bytes: Run ends with %v", length, err)
		}
		cancel()
		arrives(t, ended, "Run returns")
	}
}

// A channel that was accepted could not be ended.
func TestCloseChannel(t *testing.T) {
	session := testInstance(t)
	offer, err := EncodeControl(7, ChannelOpen{ChannelID: 7, AuthToken: "token"})
	if err != nil {
		t.Fatal(err)
	}
	dial, dials := registeredRelay(t, offer)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = session.Run(ctx, dial, func(event SessionEvent) {
		if event.Event != "channel_offered" {
			return
		}
		if err := session.Accept(event.Channel); err != nil {
			t.Error(err)
		}
		if err := session.CloseChannel(event.Channel, "of the test"); err != nil {
			t.Error(err)
		}
		cancel()
	})
	if err != nil {
		t.Fatal(err)
	}
	relay := <-dials
	relay.mutex.Lock()
	defer relay.mutex.Unlock()
	for _, frame := range relay.sent {
		var closed ChannelClose
		if frame.Type == FrameChannelClose && DecodeControl(frame, &closed) == nil && closed.Reason == "of the test" {
			return
		}
	}
	t.Errorf("the phone is not told: %v", relay.sent)
}

// These settings of the library had no member in Go.
func TestAPhoneTakesAllSettings(t *testing.T) {
	settings := PhoneSettings{
		NotificationPreferences: &NotificationPreferences{CriticalEnabled: true}, TimesMS: &SessionTimes{Connect: 5}, AnswerMS: 1,
	}
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil || members["notification_preferences"] == nil || members["times_ms"] == nil {
		t.Errorf("%s %v", text, err)
	}
	newPhone(t, settings).Close()
}
