package main

import (
	"context"
	"testing"
	"time"

	"github.com/coder/websocket"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A phone believes a scanned code as far as its identity's signature goes.
type phone struct {
	t    *testing.T
	code pulsetrust.PairingCode
	conn *websocket.Conn
	id   uint32 // of the channel
	keys *pulsetrust.Channel
}

// scan connects to the relay of a code.
func scan(t *testing.T, scanned string) *phone {
	t.Helper()
	code, err := pulsetrust.ParsePairingCode(scanned)
	if err != nil {
		t.Fatal(err)
	}
	if code.IdentityPublicKey == nil {
		t.Fatal("the code has no identity")
	}
	conn, _, err := websocket.Dial(t.Context(), code.RelayURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(maxFrameSize)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &phone{t: t, code: code, conn: conn}
}

// connect opens a channel and gives the relay's answer.
func (p *phone) connect() pulsetrust.Frame {
	p.t.Helper()
	connect := pulsetrust.Connect{InstanceID: p.code.InstanceID, AuthToken: p.code.AuthToken, Platform: "test"}
	bytes, err := pulsetrust.EncodeControl(0, connect)
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(bytes)
	answer := p.receive()
	if answer.Type == pulsetrust.FrameConnectAck {
		var ack pulsetrust.ConnectAck
		if err := pulsetrust.DecodeControl(answer, &ack); err != nil {
			p.t.Fatal(err)
		}
		p.id = ack.ChannelID
	}
	return answer
}

// establish opens a channel and exchanges keys.
func (p *phone) establish() {
	p.t.Helper()
	if answer := p.connect(); answer.Type != pulsetrust.FrameConnectAck {
		p.t.Fatalf("CONNECT is answered with %#x %s", answer.Type, answer.Payload)
	}
	handshake, err := pulsetrust.StartHandshake()
	if err != nil {
		p.t.Fatal(err)
	}
	message, err := handshake.Message()
	if err != nil {
		p.t.Fatal(err)
	}
	p.sendFrame(pulsetrust.FrameKeyExchange, message)
	answer := p.receive()
	if answer.Type != pulsetrust.FrameKeyExchange {
		p.t.Fatalf("KEY_EXCHANGE is answered with %#x %s", answer.Type, answer.Payload)
	}
	if p.keys, err = handshake.Finish(answer.Payload, *p.code.IdentityPublicKey); err != nil {
		p.t.Fatal(err)
	}
}

// fetch asks for a path through the channel.
func (p *phone) fetch(method, path string) pulsetrust.ProxyResponse {
	p.t.Helper()
	sealed, err := p.keys.SealRequest(pulsetrust.ProxyRequest{ID: "1", Method: method, Path: path})
	if err != nil {
		p.t.Fatal(err)
	}
	p.sendFrame(pulsetrust.FrameData, sealed)
	answer := p.receive()
	if answer.Type != pulsetrust.FrameData {
		p.t.Fatalf("%s is answered with %#x %s", path, answer.Type, answer.Payload)
	}
	response, err := p.keys.OpenResponse(answer.Payload)
	if err != nil {
		p.t.Fatal(err)
	}
	return response
}

func (p *phone) sendFrame(kind pulsetrust.FrameType, payload []byte) {
	p.t.Helper()
	bytes, err := pulsetrust.EncodeFrame(pulsetrust.Frame{Type: kind, Channel: p.id, Payload: payload})
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(bytes)
}

func (p *phone) send(bytes []byte) {
	p.t.Helper()
	if err := p.conn.Write(p.t.Context(), websocket.MessageBinary, bytes); err != nil {
		p.t.Fatal(err)
	}
}

func (p *phone) receive() pulsetrust.Frame {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	_, bytes, err := p.conn.Read(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	frame, err := pulsetrust.DecodeFrame(bytes)
	if err != nil {
		p.t.Fatal(err)
	}
	return frame
}
