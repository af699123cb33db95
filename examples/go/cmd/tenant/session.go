package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// times are how long a session waits for what.
type times struct{ ack, ping, silence time.Duration }

// deployedTimes are the deployed runtime's (formats.md#frames).
var deployedTimes = times{ack: 15 * time.Second, ping: 25 * time.Second, silence: 60 * time.Second}

const writeTimeout = 10 * time.Second

const (
	clientVersion   = "pulse-trust-example-go"
	frameHeaderSize = 6
	maxFrameSize    = frameHeaderSize + 65_536
)

// A relayError is the relay's ERROR frame.
type relayError struct{ pulsetrust.ErrorMessage }

func (e *relayError) Error() string { return fmt.Sprintf("the relay says %s: %s", e.Code, e.Message) }

// endsSession says that the session token, or what stands behind it, no longer counts.
func (e *relayError) endsSession() bool {
	switch e.Code {
	case "AUTH_FAILED", "INSTANCE_NOT_FOUND", "LICENSE_INVALID", "LICENSE_EXPIRED":
		return true
	}
	return false
}

// A session is one connection to the relay.
type session struct {
	tenant *tenant
	conn   *websocket.Conn
}

// serve keeps the tenant registered until the context ends.
func (t *tenant) serve(ctx context.Context) {
	var last pulsetrust.RegisterAck // of the session to resume; zero: none, register afresh
	var retry backoff
	for ctx.Err() == nil {
		resuming := last.SessionToken != ""
		startedAt := time.Now()
		err := t.connect(ctx, &last)
		if ctx.Err() != nil {
			return
		}
		wait := retry.after(time.Since(startedAt))
		var refusal *relayError
		if errors.As(err, &refusal) && refusal.endsSession() {
			last = pulsetrust.RegisterAck{}
			if resuming {
				wait = 0 // what was refused is the session, not the credential
			}
		}
		t.events.write(withReason(event{"event": "disconnected", "retry_in_ms": wait.Milliseconds()}, err))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// connect registers and serves until the connection ends, which is always for a reason.
func (t *tenant) connect(ctx context.Context, last *pulsetrust.RegisterAck) error {
	dialing, cancel := context.WithTimeout(ctx, t.times.ack)
	defer cancel()
	conn, _, err := websocket.Dial(dialing, t.config.ServerURL, &websocket.DialOptions{HTTPClient: &http.Client{
		// The credential is for the configured server and no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxFrameSize)
	s := &session{t, conn}
	resumed := last.SessionToken != ""
	ack, err := s.register(dialing, *last)
	if err != nil {
		return err
	}
	*last = ack
	s.announce(ack, resumed)
	return s.serve(ctx)
}

// register sends REGISTER and waits for the ACK.
func (s *session) register(ctx context.Context, last pulsetrust.RegisterAck) (ack pulsetrust.RegisterAck, err error) {
	register := pulsetrust.Register{
		InstanceHint:   s.tenant.config.InstanceSecret,
		ClientVersion:  clientVersion,
		IdentityPubKey: s.tenant.config.IdentityPublicKey,
	}
	register.LicenseToken, err = s.tenant.credential()
	if err != nil {
		return ack, fmt.Errorf("credential: %w", err)
	}
	if last.SessionToken != "" {
		register.SessionToken, register.InstanceHint = last.SessionToken, last.InstanceID
	}
	bytes, err := pulsetrust.EncodeControl(0, register)
	if err != nil {
		return ack, err
	}
	if err := s.send(bytes); err != nil {
		return ack, err
	}
	frame, err := s.receive(ctx)
	if err != nil {
		return ack, fmt.Errorf("no answer to REGISTER: %w", err)
	}
	if frame.Type == pulsetrust.FrameError {
		return ack, readRelayError(frame)
	}
	return ack, pulsetrust.DecodeControl(frame, &ack)
}

func (s *session) announce(ack pulsetrust.RegisterAck, resumed bool) {
	line := event{
		"event":       "registered",
		"instance_id": ack.InstanceID,
		"resumed":     resumed,
		"expires_at":  ack.ExpiresAt,
	}
	if pairing, err := s.tenant.pairingCode(ack.InstanceID); err != nil {
		line = withReason(line, err)
	} else {
		line["pairing_code"], line["deep_link"] = pairing.CompactCode, pairing.DeepLink
	}
	s.tenant.events.write(line)
}

// serve takes frames until the connection ends.
func (s *session) serve(ctx context.Context) error {
	open := newChannels(ctx, s)
	defer open.closeAll()
	done := make(chan struct{})
	defer close(done)
	go s.keepAlive(done)
	// A reader whose context ends drops the connection; a stop is to say goodbye.
	defer context.AfterFunc(ctx, func() { s.conn.Close(websocket.StatusNormalClosure, "the instance stops") })()
	for {
		reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.tenant.times.silence)
		frame, err := s.receive(reading)
		cancel()
		if err != nil {
			return err
		}
		if err := s.take(frame, open); err != nil {
			return err
		}
	}
}

func (s *session) take(frame pulsetrust.Frame, open *channels) error {
	switch frame.Type {
	case pulsetrust.FramePing:
		return s.sendFrame(pulsetrust.Frame{Type: pulsetrust.FramePong})
	case pulsetrust.FrameChannelOpen:
		return open.offer(frame)
	case pulsetrust.FrameKeyExchange, pulsetrust.FrameData:
		return open.deliver(frame)
	case pulsetrust.FrameChannelClose:
		open.end(frame.Channel)
	case pulsetrust.FrameDrain:
		// Its reconn_url is not followed: the credential is for the configured server and no other.
		return errors.New("the relay drains")
	case pulsetrust.FrameError:
		err := readRelayError(frame)
		var refusal *relayError
		if frame.Channel == 0 && errors.As(err, &refusal) && (refusal.endsSession() || refusal.Code == "SERVER_DRAINING") {
			return err
		}
		s.tenant.events.write(withReason(event{"event": "relay_error", "channel": frame.Channel}, err))
	}
	return nil
}

func (s *session) keepAlive(done <-chan struct{}) {
	ticker := time.NewTicker(s.tenant.times.ping)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if s.sendFrame(pulsetrust.Frame{Type: pulsetrust.FramePing}) != nil {
				return // the reader hears of it
			}
		case <-done:
			return
		}
	}
}

func readRelayError(frame pulsetrust.Frame) error {
	var refusal relayError
	if err := pulsetrust.DecodeControl(frame, &refusal.ErrorMessage); err != nil {
		return err
	}
	return &refusal
}

func (s *session) receive(ctx context.Context) (pulsetrust.Frame, error) {
	kind, bytes, err := s.conn.Read(ctx)
	if err != nil {
		return pulsetrust.Frame{}, err
	}
	if kind != websocket.MessageBinary {
		return pulsetrust.Frame{}, errors.New("the relay sent a text message")
	}
	return pulsetrust.DecodeFrame(bytes)
}

func (s *session) sendFrame(frame pulsetrust.Frame) error {
	bytes, err := pulsetrust.EncodeFrame(frame)
	if err != nil {
		return err
	}
	return s.send(bytes)
}

// send may be called from many goroutines. A relay that does not take the bytes in time is as good as gone.
func (s *session) send(bytes []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageBinary, bytes)
}
