package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

const (
	clientVersion   = "pulse-trust-example-go"
	frameHeaderSize = 6
	maxFrameSize    = frameHeaderSize + 65_536
)

// A conversation is the tenant's end of a session, and the phones that talk to it.
type conversation struct {
	ctx     context.Context
	tenant  *tenant
	session *pulsetrust.Session
	// credential is the one that the session registers with.
	credential string
	// channels are those that were accepted. Only events change them, and events come one after the other.
	channels map[uint32]phoneChannel
	// refusal is the relay's error for the connection that is about to end.
	refusal *pulsetrust.ErrorMessage
	// end stops the session, and isSuperseded says that the reason is another lease.
	end          context.CancelFunc
	isSuperseded bool
}

// A phoneChannel lasts as long as its context.
type phoneChannel struct {
	ctx    context.Context
	cancel context.CancelFunc
	token  string // what the phone presented, and what its requests carry
}

// serve keeps the tenant registered until the context ends: in one session, or in another one for each lease that the
// control plane issues while the session refreshes the one before.
func (t *tenant) serve(ctx context.Context) error {
	for {
		isSuperseded, err := t.converse(ctx)
		if err != nil || !isSuperseded || ctx.Err() != nil {
			return err
		}
	}
}

// converse runs one session, with what the directory holds now; isSuperseded if it has ended because that is no longer so.
func (t *tenant) converse(ctx context.Context) (isSuperseded bool, err error) {
	credential, err := t.credential()
	if err != nil {
		return false, fmt.Errorf("credential: %w", err)
	}
	refresh, err := t.refresh()
	if err != nil {
		return false, fmt.Errorf("refresh: %w", err)
	}
	session, err := pulsetrust.NewInstanceSession(pulsetrust.InstanceSettings{
		ServerURL:      t.config.ServerURL,
		Credential:     credential,
		InstanceSecret: t.config.InstanceSecret,
		ClientVersion:  clientVersion,
		TimesMS:        t.times,
		Refresh:        refresh,
	}, t.identity, t.keys)
	if err != nil {
		return false, err
	}
	defer session.Close()
	t.session.Store(session)
	defer t.session.Store(nil)
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	running, end := context.WithCancel(ctx)
	defer end()
	c := &conversation{
		ctx: working, tenant: t, session: session, credential: credential, channels: map[uint32]phoneChannel{}, end: end,
	}
	err = session.Run(running, dial, c.handle)
	return c.isSuperseded, err
}

// handle takes the session's events.
func (c *conversation) handle(told pulsetrust.SessionEvent) {
	switch told.Event {
	case "registered":
		c.announce(told)
	case "renewed", "draining":
		c.tenant.events.write(event{"event": told.Event})
	case "refused":
		refusal := told.RelayError()
		c.refusal = &refusal
	case "relay_error":
		line := event{"event": "relay_error", "channel": told.Channel}
		c.tenant.events.write(withReason(line, &relayError{told.RelayError()}))
	case "disconnected":
		c.disconnected(told)
	case "channel_offered":
		c.judge(told.Channel, told.AuthToken)
	case "channel_secured":
		c.tenant.events.write(event{"event": "channel_established", "channel": told.Channel})
	case "channel_ended":
		if ended, ok := c.channels[told.Channel]; ok {
			ended.cancel()
			delete(c.channels, told.Channel)
		}
		c.tenant.events.write(event{"event": "channel_closed", "channel": told.Channel, "end": told.End, "reason": told.Reason})
	case "request":
		c.answer(told)
	case "refresh_due":
		c.askForLease(told.Body)
	case "lease_refreshed":
		c.leaseRefreshed(told)
	case "refresh_failed":
		c.tenant.events.write(withReason(event{"event": "refresh_failed"}, told.Refusal()))
	case "lease_lost":
		c.leaseLost(told)
	}
}

func (c *conversation) announce(told pulsetrust.SessionEvent) {
	line := event{
		"event":       "registered",
		"instance_id": told.InstanceID,
		"resumed":     told.Resumed,
		"expires_at":  told.ExpiresAt,
	}
	if pairing, err := c.tenant.pairingCode(told.InstanceID); err != nil {
		line = withReason(line, err)
	} else {
		line["pairing_code"], line["deep_link"] = pairing.CompactCode, pairing.DeepLink
	}
	c.tenant.events.write(line)
}

func (c *conversation) disconnected(told pulsetrust.SessionEvent) {
	line := event{"event": "disconnected", "reason": told.Reason}
	if wait, ok := c.session.RetryIn(told); ok {
		line["retry_in_ms"] = wait.Milliseconds()
	}
	if c.refusal != nil {
		line = withReason(line, &relayError{*c.refusal})
		c.refusal = nil
	}
	c.tenant.events.write(line)
	// A lease in billing.json may have been refreshed meanwhile.
	if credential, err := c.tenant.credential(); err == nil && credential != c.credential && !c.isSuperseded {
		c.credential = credential
		c.warn(c.session.SetCredential(credential))
	}
}

func (c *conversation) judge(channel uint32, token string) {
	if subtle.ConstantTimeCompare([]byte(token), []byte(c.tenant.settings.authToken)) != 1 {
		c.warn(c.session.Refuse(channel, "invalid auth token"))
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	c.channels[channel] = phoneChannel{ctx, cancel, token}
	c.warn(c.session.Accept(channel))
}

// answer asks the runtime's own server in a goroutine of its own. The session bounds how many there are at once.
func (c *conversation) answer(told pulsetrust.SessionEvent) {
	from, ok := c.channels[told.Channel]
	request, err := told.ProxyRequest()
	if !ok || err != nil {
		return
	}
	go func() {
		proxy(from.ctx, c.tenant.api, request, from.token, func(response pulsetrust.ProxyResponse) error {
			return c.respond(from.ctx, told.Channel, response)
		})
	}()
}

// respond waits while the phone is slower than the answer.
func (c *conversation) respond(ctx context.Context, channel uint32, response pulsetrust.ProxyResponse) error {
	for {
		err := c.session.Respond(channel, response)
		var refused *pulsetrust.Error
		if !errors.As(err, &refused) || refused.Code != pulsetrust.ErrSendQueueFull {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// warn reports what the session refused to do: a channel may have ended in the meantime.
func (c *conversation) warn(err error) {
	if err != nil {
		c.tenant.events.warn([]string{err.Error()})
	}
}

// A relayError is the relay's ERROR frame.
type relayError struct{ pulsetrust.ErrorMessage }

func (e *relayError) Error() string { return fmt.Sprintf("the relay says %s: %s", e.Code, e.Message) }

// A socket is a WebSocket connection of binary messages that fit a frame.
type socket struct{ conn *websocket.Conn }

func dial(ctx context.Context, url string) (pulsetrust.Conn, error) {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{
		// The credential is for the configured server and no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxFrameSize)
	return socket{conn}, nil
}

func (s socket) Read(ctx context.Context) ([]byte, error) {
	kind, bytes, err := s.conn.Read(ctx)
	if err == nil && kind != websocket.MessageBinary {
		s.conn.Close(websocket.StatusUnsupportedData, "binary messages alone")
		return nil, errors.New("the relay sent a text message")
	}
	return bytes, err
}

func (s socket) Write(ctx context.Context, message []byte) error {
	return s.conn.Write(ctx, websocket.MessageBinary, message)
}

func (s socket) Close(code int) error { return s.conn.Close(websocket.StatusCode(code), "") }

func errorBody(message string) []byte {
	body, _ := json.Marshal(map[string]string{"error": message}) // a map of texts always has JSON
	return body
}
