package pulsetrust

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A Session is one end of a conversation through the relay: an instance's or a phone's. It decides when to register, open,
// accept, sign, count, close and reconnect; Run provides sockets and a clock. Many goroutines may call its methods at the
// same time.
type Session struct {
	handle *handle
	origin time.Time
	wake   chan struct{} // the session was called, so it may have something to do
	closed chan struct{} // ends Run
	isRun  atomic.Bool   // a Run is in progress
	ending sync.Once
}

// InstanceSettings are what an instance registers with.
type InstanceSettings struct {
	ServerURL        string           `json:"server_url"`
	Credential       string           `json:"credential"`      // secret
	InstanceSecret   string           `json:"instance_secret"` // secret
	ClientVersion    string           `json:"client_version,omitempty"`
	BackoffInitialMS int64            `json:"backoff_initial_ms,omitempty"` // 0: 1 s
	BackoffMaxMS     int64            `json:"backoff_max_ms,omitempty"`     // 0: 60 s
	TimesMS          *SessionTimes    `json:"times_ms,omitempty"`           // nil: as deployed
	Refresh          *RefreshSettings `json:"refresh,omitempty"`
	Seed             uint32           `json:"seed"` // spreads waiting times; 0: a random one
}

// SessionTimes say how long a session waits for each step, in milliseconds; 0 is the deployed time.
type SessionTimes struct {
	Connect int64 `json:"connect,omitempty"`
	Answer  int64 `json:"answer,omitempty"`
	Ping    int64 `json:"ping,omitempty"`
	Silence int64 `json:"silence,omitempty"`
	Drain   int64 `json:"drain,omitempty"`
	Refused int64 `json:"refused,omitempty"`
}

// RefreshSettings are what a hosted lease is refreshed with.
type RefreshSettings struct {
	OrgID        string `json:"org_id"`
	InstanceHost string `json:"instance_host"`
	RefreshToken string `json:"refresh_token"` // secret
	ExpiresAt    int64  `json:"expires_at,omitempty"`
}

// PhoneSettings are what a phone needs besides its pairing code.
type PhoneSettings struct {
	DeviceToken             string                   `json:"device_token,omitempty"` // secret
	Platform                string                   `json:"platform,omitempty"`
	NotificationPreferences *NotificationPreferences `json:"notification_preferences,omitempty"`
	BackoffInitialMS        int64                    `json:"backoff_initial_ms,omitempty"` // 0: 1 s
	BackoffMaxMS            int64                    `json:"backoff_max_ms,omitempty"`     // 0: 60 s
	AnswerMS                int64                    `json:"answer_ms,omitempty"`          // how long a request waits; 0: 35 s
	TimesMS                 *SessionTimes            `json:"times_ms,omitempty"`           // nil: as deployed
	Seed                    uint32                   `json:"seed"`                         // spreads waiting times; 0: a random one
}

// A Conn is a WebSocket connection with binary messages only. However the connection ends, a session calls Close once, and
// perhaps during a Read or a Write, which Close should end. Set its limit for a message that is read to [MaxPayload] and the
// 6 bytes of a header: the session ends a connection on which a longer one comes, but Read has had to hold it until then.
type Conn interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, message []byte) error
	Close(code int) error
}

// NewInstanceSession makes an instance's end. The keys verify leases that a refresh brings; without a refresh they may be
// nil.
func NewInstanceSession(settings InstanceSettings, identity *Identity, keys *TrustKeys) (made *Session, err error) {
	if identity == nil || settings.Refresh != nil && keys == nil {
		return nil, errNotMade
	}
	settings.Seed = seedOr(settings.Seed)
	text, err := marshal(settings)
	if err != nil {
		return nil, err
	}
	err = identity.held().use(func(ref engine.Ref) error {
		if keys == nil {
			made, err = newSession(ref.Instance(), func() (engine.Ref, error) {
				return engine.SessionNewInstance(string(text), ref, engine.Ref{})
			})
			return err
		}
		trusted, err := keys.on(ref.Instance().Index())
		if err != nil {
			return err
		}
		return trusted.use(func(keys engine.Ref) error {
			made, err = newSession(ref.Instance(), func() (engine.Ref, error) {
				return engine.SessionNewInstance(string(text), ref, keys)
			})
			return err
		})
	})
	return made, err
}

// NewPhoneSession makes a phone's end, for the instance of a scanned code.
func NewPhoneSession(scanned string, settings PhoneSettings) (*Session, error) {
	settings.Seed = seedOr(settings.Seed)
	text, err := marshal(settings)
	if err != nil {
		return nil, err
	}
	in, err := anyInstance()
	if err != nil {
		return nil, err
	}
	return newSession(in, func() (engine.Ref, error) { return engine.SessionNewPhone(in, scanned, string(text)) })
}

func newSession(in *engine.Instance, job func() (engine.Ref, error)) (*Session, error) {
	made, err := own(in, engine.SessionFree, job)
	if err != nil {
		return nil, err
	}
	return &Session{handle: made, origin: time.Now(), wake: make(chan struct{}, 1), closed: make(chan struct{})}, nil
}

func seedOr(seed uint32) uint32 {
	if seed != 0 {
		return seed
	}
	var bytes [4]byte
	_, _ = rand.Read(bytes[:]) // never fails
	return binary.LittleEndian.Uint32(bytes[:])
}

// Accept accepts a channel that was offered.
func (s *Session) Accept(channel uint32) error {
	return s.act(map[string]any{"act": "accept", "channel": channel}, nil)
}

// Refuse refuses a channel that was offered, with a reason for the phone's user.
func (s *Session) Refuse(channel uint32, reason string) error {
	return s.act(map[string]any{"act": "refuse", "channel": channel, "reason": reason}, nil)
}

// CloseChannel ends a channel that was accepted, with a reason for the phone's user. Its requests need no answer then.
func (s *Session) CloseChannel(channel uint32, reason string) error {
	return s.act(map[string]any{"act": "close", "channel": channel, "reason": reason}, nil)
}

// Respond answers a request, with the whole response or the next piece of it. A piece without Stream is the last one.
func (s *Session) Respond(channel uint32, response ProxyResponse) error {
	return s.act(map[string]any{"act": "respond", "channel": channel, "response": response}, nil)
}

// Push sends a notification to the instance's phones.
func (s *Session) Push(notification PushNotification) error {
	return s.act(map[string]any{"act": "push", "notification": notification}, nil)
}

// SetCredential registers with another credential from now on.
func (s *Session) SetCredential(credential string) error {
	return s.act(map[string]any{"act": "set_credential", "credential": credential}, nil)
}

// Cancel gives up a request: it fails as "canceled", and whatever still arrives for it is dropped.
func (s *Session) Cancel(request uint64) error {
	return s.act(map[string]any{"act": "cancel", "request": request}, nil)
}

// Request sends a request to the instance, after the event "ready". Events refer to it by the number that is returned.
func (s *Session) Request(method, path string, headers map[string]string, body []byte) (number uint64, err error) {
	var result struct {
		Request uint64 `json:"request"`
	}
	asked := map[string]any{"act": "request", "method": method, "path": path}
	if len(body) > 0 {
		asked["body"] = body
	}
	if len(headers) > 0 {
		asked["headers"] = headers
	}
	err = s.act(asked, &result)
	return result.Request, err
}

// RetryIn is the time until the next connection that an event announces; false if none is planned.
func (s *Session) RetryIn(event SessionEvent) (time.Duration, bool) {
	if s == nil || event.RetryAt == nil {
		return 0, false
	}
	return time.Duration(max(0, *event.RetryAt-s.monotonic())) * time.Millisecond, true
}

// Close wipes the session. A Run in progress closes its connection and returns an error. The other side is not told; to
// tell it, end the context of Run first.
func (s *Session) Close() {
	if s == nil {
		return
	}
	s.ending.Do(func() {
		if s.closed != nil {
			close(s.closed)
		}
	})
	s.held().close()
}

func (s *Session) act(act map[string]any, result any) error {
	text, err := marshal(act)
	if err != nil {
		return err
	}
	err = s.held().useAlone(func(ref engine.Ref) error {
		bytes, err := engine.SessionAct(ref, string(text), s.monotonic(), time.Now().Unix())
		if err == nil && result != nil {
			err = json.Unmarshal(bytes, result)
		}
		return err
	})
	s.rouse()
	return err
}

// rouse makes Run look at what the session wants now.
func (s *Session) rouse() {
	if s == nil {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

func (s *Session) monotonic() int64 { return time.Since(s.origin).Milliseconds() }

func (s *Session) feed(what int32, connection uint32, data []byte) error {
	return s.held().useAlone(func(ref engine.Ref) error {
		return engine.SessionFeed(ref, what, connection, data, s.monotonic(), time.Now().Unix())
	})
}
