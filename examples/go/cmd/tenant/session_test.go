package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A scriptedRelay is the other end of a tenant's connections, for what a well-behaved relay never does.
type scriptedRelay struct {
	t     *testing.T
	conns chan *websocket.Conn
	url   string
}

func newScriptedRelay(t *testing.T) *scriptedRelay {
	relay := &scriptedRelay{t: t, conns: make(chan *websocket.Conn)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		conn.SetReadLimit(1 << 20)
		select {
		case relay.conns <- conn:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.CloseClientConnections)
	relay.url = "ws" + strings.TrimPrefix(server.URL, "http") + "/ws/instance"
	return relay
}

// startTenant starts a fresh tenant in this process; it ends with the test.
func (r *scriptedRelay) startTenant(times *pulsetrust.SessionTimes) *tenant {
	r.t.Helper()
	return r.startTenantWith(nil, times)
}

// startTenantWith is startTenant with another server behind the proxy.
func (r *scriptedRelay) startTenantWith(api http.Handler, times *pulsetrust.SessionTimes) *tenant {
	r.t.Helper()
	path := r.t.TempDir()
	made, err := provision(path, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	settings := settings{authToken: "the-token"}
	settings.adopt(made)
	settings.runtime.RelayServer = r.url
	started, err := start(path, settings, newEvents(r.t.Output()))
	if err != nil {
		r.t.Fatal(err)
	}
	started.times = times
	if api != nil {
		started.api = api
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		if err := started.serve(ctx); err != nil {
			r.t.Error(err)
		}
		close(ended)
	}()
	r.t.Cleanup(func() {
		cancel()
		<-ended
		started.close()
	})
	return started
}

// A scriptedConn is one connection, after REGISTER.
type scriptedConn struct {
	t        *testing.T
	conn     *websocket.Conn
	register pulsetrust.Register
}

func (r *scriptedRelay) accept() *scriptedConn {
	r.t.Helper()
	select {
	case conn := <-r.conns:
		r.t.Cleanup(func() { _ = conn.CloseNow() })
		c := &scriptedConn{t: r.t, conn: conn}
		if err := pulsetrust.DecodeControl(c.receive(), &c.register); err != nil {
			r.t.Fatal(err)
		}
		return c
	case <-time.After(20 * time.Second):
		r.t.Fatal("the tenant does not connect")
		return nil
	}
}

// acknowledge accepts the registration.
func (c *scriptedConn) acknowledge() *scriptedConn {
	c.sendControl(0, pulsetrust.RegisterAck{InstanceID: "relay_0123456789abcdef", SessionToken: "session-1", ExpiresAt: time.Now().Add(time.Hour).Unix()})
	return c
}

func (c *scriptedConn) sendControl(channel uint32, payload pulsetrust.ControlPayload) {
	c.t.Helper()
	bytes, err := pulsetrust.EncodeControl(channel, payload)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(websocket.MessageBinary, bytes)
}

func (c *scriptedConn) send(kind websocket.MessageType, bytes []byte) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), kind, bytes); err != nil {
		c.t.Fatal(err)
	}
}

func (c *scriptedConn) receive() pulsetrust.Frame {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	_, bytes, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	frame, err := pulsetrust.DecodeFrame(bytes)
	if err != nil {
		c.t.Fatal(err)
	}
	return frame
}

// ended waits until the tenant has given the connection up.
func (c *scriptedConn) ended() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, _, err := c.conn.Read(ctx); err != nil {
			if ctx.Err() != nil {
				c.t.Error("the tenant keeps the connection")
			}
			return
		}
	}
}

func TestWhatIsRegisteredWith(t *testing.T) {
	relay := newScriptedRelay(t)
	tenant := relay.startTenant(nil)
	first := relay.accept()
	if first.register.LicenseToken == "" || first.register.SessionToken != "" ||
		first.register.InstanceHint != tenant.config.InstanceSecret ||
		first.register.IdentityPubKey != tenant.config.IdentityPublicKey {
		t.Errorf("the first REGISTER has the hint %q", first.register.InstanceHint)
	}
	first.acknowledge().sendControl(0, pulsetrust.Drain{Reason: "restart", ReconnectURL: "ws://127.0.0.1:9/ws/instance"})
	resuming := relay.accept()
	if resuming.register.SessionToken != "session-1" || resuming.register.InstanceHint != "relay_0123456789abcdef" ||
		resuming.register.LicenseToken == "" {
		t.Errorf("after DRAIN the hint is %q", resuming.register.InstanceHint)
	}
	resuming.sendControl(0, pulsetrust.ErrorMessage{Code: "INSTANCE_NOT_FOUND", Message: "unknown session"})
	afresh := relay.accept()
	if afresh.register.SessionToken != "" || afresh.register.InstanceHint != tenant.config.InstanceSecret {
		t.Errorf("after INSTANCE_NOT_FOUND the hint is %q", afresh.register.InstanceHint)
	}
}

func TestPings(t *testing.T) {
	relay := newScriptedRelay(t)
	relay.startTenant(&pulsetrust.SessionTimes{Ping: 100, Silence: 1000})
	conn := relay.accept().acknowledge()
	conn.send(websocket.MessageBinary, []byte{1, byte(pulsetrust.FramePing), 0, 0, 0, 0})
	var pings, pongs int
	for pings < 2 || pongs < 1 {
		switch frame := conn.receive(); frame.Type {
		case pulsetrust.FramePing:
			pings++
		case pulsetrust.FramePong:
			pongs++
		default:
			t.Fatalf("%#x", frame.Type)
		}
	}
	conn.ended() // nothing was said for the time of silence
	relay.accept()
}

func TestARelayThatDoesNotAcknowledge(t *testing.T) {
	relay := newScriptedRelay(t)
	relay.startTenant(&pulsetrust.SessionTimes{Answer: 200})
	relay.accept().ended()
	if again := relay.accept(); again.register.SessionToken != "" {
		t.Error("there is no session to resume")
	}
}

// Channels whose phones have neither exchanged keys nor asked anything yet.
const maxHalfOpen = 16

func TestBounds(t *testing.T) {
	relay := newScriptedRelay(t)
	relay.startTenant(nil)
	largest := append([]byte{1, 0x0d, 0, 0, 0, 0}, make([]byte, 65_536)...)
	for name, message := range map[string]struct {
		kind  websocket.MessageType
		bytes []byte
	}{
		"a frame over the limit": {websocket.MessageBinary, append(bytes.Clone(largest), 0)},
		"a text message":         {websocket.MessageText, []byte("PING")},
		"no frame":               {websocket.MessageBinary, []byte{1, 2}},
		"an unknown version":     {websocket.MessageBinary, []byte{2, 8, 0, 0, 0, 0}},
	} {
		conn := relay.accept().acknowledge()
		conn.send(message.kind, message.bytes)
		t.Log(name)
		conn.ended()
	}
	conn := relay.accept().acknowledge()
	conn.send(websocket.MessageBinary, largest) // fits, and is nothing for an instance
	for id := uint32(1); id <= maxHalfOpen+1; id++ {
		conn.sendControl(id, pulsetrust.ChannelOpen{ChannelID: id, AuthToken: "the-token"})
		answer := conn.receive()
		accepted := answer.Type == pulsetrust.FrameChannelOpen && answer.Channel == id
		if accepted != (id <= maxHalfOpen) {
			t.Fatalf("channel %d: %#x %s", id, answer.Type, answer.Payload)
		}
	}
	conn.sendControl(1, pulsetrust.ChannelClose{ChannelID: 1})
	conn.sendControl(70, pulsetrust.ChannelOpen{ChannelID: 70, AuthToken: "the-token"})
	if answer := conn.receive(); answer.Type != pulsetrust.FrameChannelOpen {
		t.Errorf("no room after a channel was closed: %s", answer.Payload)
	}
	for name, open := range map[string]pulsetrust.ChannelOpen{
		"another channel's frame": {ChannelID: 99, AuthToken: "the-token"},
		"channel 0":               {ChannelID: 0, AuthToken: "the-token"},
	} {
		conn.sendControl(2*min(open.ChannelID, 1), open)
		if answer := conn.receive(); answer.Type != pulsetrust.FrameChannelClose {
			t.Errorf("%s: %#x", name, answer.Type)
		}
	}
}
