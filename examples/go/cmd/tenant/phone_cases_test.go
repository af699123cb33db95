package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A channelOf a phone, on the relay's side of a tenant's connection: what the phone sends, and what it is answered.
type channelOf struct {
	*scriptedConn
	id   uint32
	keys *pulsetrust.Channel // nil: a phone that exchanges none
}

// openPhone opens a channel to a tenant with this server behind its proxy; with keys, they are exchanged.
func openPhone(t *testing.T, api http.HandlerFunc, withKeys bool) *channelOf {
	t.Helper()
	relay := newScriptedRelay(t)
	var handler http.Handler
	if api != nil {
		handler = api
	}
	tenant := relay.startTenantWith(handler, nil)
	p := &channelOf{scriptedConn: relay.accept().acknowledge(), id: 7}
	p.sendControl(p.id, pulsetrust.ChannelOpen{ChannelID: p.id, AuthToken: "the-token"})
	if answer := p.receive(); answer.Type != pulsetrust.FrameChannelOpen {
		t.Fatalf("the channel is not accepted: %#x %s", answer.Type, answer.Payload)
	}
	if !withKeys {
		return p
	}
	handshake, err := pulsetrust.StartHandshake()
	if err != nil {
		t.Fatal(err)
	}
	message, err := handshake.Message()
	if err != nil {
		t.Fatal(err)
	}
	p.sendFrame(pulsetrust.FrameKeyExchange, message)
	answer := p.receive()
	if p.keys, err = handshake.Finish(answer.Payload, tenant.config.IdentityPublicKey); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *channelOf) sendFrame(kind pulsetrust.FrameType, payload []byte) {
	p.t.Helper()
	frame, err := pulsetrust.EncodeFrame(pulsetrust.Frame{Type: kind, Channel: p.id, Payload: payload})
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(2, frame)
}

// say sends the text of a request as it is.
func (p *channelOf) say(text string) {
	p.t.Helper()
	payload := []byte(text)
	if p.keys != nil {
		sealed, err := p.keys.Seal(payload)
		if err != nil {
			p.t.Fatal(err)
		}
		payload = sealed
	}
	p.sendFrame(pulsetrust.FrameData, payload)
}

// hear gives the next answer.
func (p *channelOf) hear() (response pulsetrust.ProxyResponse) {
	p.t.Helper()
	frame := p.receive()
	if frame.Type != pulsetrust.FrameData || frame.Channel != p.id {
		p.t.Fatalf("%#x on channel %d: %s", frame.Type, frame.Channel, frame.Payload)
	}
	var err error
	if p.keys != nil {
		response, err = p.keys.OpenResponse(frame.Payload)
	} else {
		err = json.Unmarshal(frame.Payload, &response)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return response
}

// expect is one request and its one answer: a status, and the words of the deployed proxy's error, where there are any.
func (p *channelOf) expect(asked string, id string, status int, words string) {
	p.t.Helper()
	p.say(asked)
	response := p.hear()
	if response.ID != id || response.Status != status || response.Stream || response.StreamDone {
		p.t.Errorf("%.60s: id %q, status %d, expected %d", asked, response.ID, response.Status, status)
	}
	if words == "" {
		return
	}
	var said struct{ Error string }
	if err := json.Unmarshal(response.Body, &said); err != nil || said.Error != words || response.Headers["Content-Type"] != "application/json" {
		p.t.Errorf("%.60s: %s %v, expected %s", asked, response.Body, response.Headers, words)
	}
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.RequestURI(), len(body))
}

func base64Of(length int) string { return base64.StdEncoding.EncodeToString(make([]byte, length)) }

// What a phone sends, and what the deployed proxy answers it: each case is the phone of one test, through the session
// machine, with its frames.
func TestAPhone(t *testing.T) {
	const missing = "missing required fields (id, method, path)"
	cases := []struct {
		name string
		run  func(t *testing.T)
	}{
		{"01 a body that is not base64", func(t *testing.T) {
			p := openPhone(t, echo, true)
			p.expect(`{"id":"1","method":"POST","path":"/","body":"!"}`, "1", 400, "invalid base64 body")
			p.expect(`{"id":"2","method":"POST","path":"/","body":"_-8="}`, "2", 400, "invalid base64 body")
		}},
		{"02 a body without padding", func(t *testing.T) {
			openPhone(t, echo, true).expect(`{"id":"1","method":"POST","path":"/","body":"AAE"}`, "1", 400, "invalid base64 body")
		}},
		{"03 the largest body", func(t *testing.T) {
			p := openPhone(t, echo, true)
			p.say(`{"id":"1","method":"POST","path":"/x","body":"` + base64Of(48_128) + `"}`)
			if response := p.hear(); response.Status != 200 || string(response.Body) != "POST /x 48128" {
				t.Errorf("%d %s", response.Status, response.Body)
			}
		}},
		{"04 a body over the limit", func(t *testing.T) {
			openPhone(t, echo, true).expect(`{"id":"1","method":"POST","path":"/","body":"`+base64Of(48_129)+`"}`, "1", 413, "request body exceeds 47KB limit")
		}},
		{"05 more than 64 requests at once", func(t *testing.T) {
			release := make(chan struct{})
			p := openPhone(t, func(w http.ResponseWriter, r *http.Request) { <-release }, true)
			for index := range 65 {
				p.say(fmt.Sprintf(`{"id":"%d","method":"GET","path":"/"}`, index))
			}
			if refused := p.hear(); refused.ID != "64" || refused.Status != 503 || !strings.Contains(string(refused.Body), "relay overloaded, retry request") {
				t.Errorf("the 65th: %q %d %s", refused.ID, refused.Status, refused.Body)
			}
			close(release)
			answered := map[string]bool{}
			for range 64 {
				if response := p.hear(); response.Status == 200 {
					answered[response.ID] = true
				}
			}
			if len(answered) != 64 {
				t.Errorf("%d of 64 are answered", len(answered))
			}
			p.expect(`{"id":"again","method":"GET","path":"/"}`, "again", 200, "")
		}},
		{"06 no id", func(t *testing.T) {
			openPhone(t, echo, true).expect(`{"method":"GET","path":"/"}`, "", 400, missing)
		}},
		{"07 no method", func(t *testing.T) {
			p := openPhone(t, echo, true)
			p.expect(`{"id":"1","path":"/"}`, "1", 400, missing)
			p.expect(`{"id":"2","method":" ","path":"/"}`, "2", 400, missing)
		}},
		{"08 no path", func(t *testing.T) {
			p := openPhone(t, echo, true)
			p.expect(`{"id":"1","method":"GET"}`, "1", 400, missing)
			p.expect(`{"id":"2","method":"GET","path":" \n"}`, "2", 400, missing)
		}},
		{"09 what is not a request", func(t *testing.T) {
			p := openPhone(t, echo, true)
			for _, text := range []string{"", "GET /", `[]`, `{"id":1}`, `{"id":"1"`} {
				p.expect(text, "", 400, "invalid request payload")
			}
		}},
		{"10 a path without its slash", func(t *testing.T) {
			p := openPhone(t, echo, true)
			for path, seen := range map[string]string{
				"api/x?y=1": "/api/x?y=1", " /api/x ": "/api/x", "?y=1": "/?y=1", "/a%20b": "/a%20b", "/a b": "/a%20b", "*": "/%2A", "/": "/",
			} {
				asked, _ := json.Marshal(map[string]string{"id": "1", "method": " GET ", "path": path})
				p.say(string(asked))
				if response := p.hear(); response.Status != 200 || string(response.Body) != "GET "+seen+" 0" {
					t.Errorf("%q: %d %s", path, response.Status, response.Body)
				}
			}
		}},
		{"11 a path that names a host", func(t *testing.T) {
			p := openPhone(t, echo, true)
			for _, path := range []string{"http://another.example.test/", "//another.example.test/", "mailto:x", "/%zz", "/a\u007fb"} {
				asked, _ := json.Marshal(map[string]string{"id": "1", "method": "GET", "path": path})
				p.expect(string(asked), "1", 400, "invalid proxy path")
			}
		}},
		{"12 requests without key exchange", func(t *testing.T) {
			p := openPhone(t, echo, false)
			p.expect(`{"id":"1","method":"GET","path":"/"}`, "1", 200, "")
			p.expect(`{"id":"2","path":"/"}`, "2", 400, missing)
		}},
		{"13 a streamed answer", func(t *testing.T) {
			p := openPhone(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
				w.Header().Set("X-Request-Id", "r-1")
				w.Header().Set("Cache-Control", "no-cache")
				for _, text := range []string{"id: 1\r\ndata: a\r\n\r\n", "\n\ndata", ": b\n", "\n", ": comment\n\ndata: rest"} {
					_, _ = w.Write([]byte(text))
					w.(http.Flusher).Flush()
				}
			}, true)
			p.say(`{"id":"1","method":"GET","path":"/events"}`)
			first := p.hear()
			if first.Status != 200 || !first.Stream || len(first.Body) > 0 || len(first.Headers) != 2 ||
				first.Headers["Content-Type"] != "text/event-stream" || first.Headers["X-Request-Id"] != "r-1" {
				t.Errorf("%+v", first)
			}
			for _, expected := range []string{"id: 1\ndata: a", "data: b", ": comment", "data: rest"} {
				if piece := p.hear(); string(piece.Body) != expected || !piece.Stream || piece.StreamDone || piece.Headers != nil || piece.ID != "1" {
					t.Errorf("%q %+v, expected %q", piece.Body, piece, expected)
				}
			}
			if last := p.hear(); !last.StreamDone || last.Stream || last.Status != 200 || len(last.Body) > 0 {
				t.Errorf("%+v", last)
			}
		}},
		{"14 a streamed event over the limit", func(t *testing.T) {
			p := openPhone(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				line := []byte("data: " + strings.Repeat("x", 1000) + "\n")
				for range 60 {
					_, _ = w.Write(line)
				}
			}, true)
			p.say(`{"id":"1","method":"GET","path":"/events"}`)
			if first := p.hear(); !first.Stream {
				t.Errorf("%+v", first)
			}
			if last := p.hear(); last.Status != 413 || last.Stream || last.StreamDone || !strings.Contains(string(last.Body), "stream event exceeds 47KB limit") {
				t.Errorf("%d %s", last.Status, last.Body)
			}
			p.expect(`{"id":"2","method":"GET"}`, "2", 400, missing) // nothing of the stream follows
		}},
		{"15 an answer over the limit", func(t *testing.T) {
			p := openPhone(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), 48_129)) }, true)
			p.expect(`{"id":"1","method":"GET","path":"/"}`, "1", 413, "response body exceeds 47KB limit")
		}},
		{"16 headers in both directions", func(t *testing.T) {
			p := openPhone(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				w.Header().Set("Set-Cookie", "session=1")
				w.Header().Set("Cache-Control", "no-store")
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(http.StatusFound)
				fmt.Fprint(w, r.Header.Get("Accept"), " ", r.Header.Get("X-Api-Token"), " ", len(r.Header))
			}, true)
			p.say(`{"id":"1","method":"GET","path":"/","headers":{"accept":"*/*","Cookie":"a=b","Authorization":"Bearer x","X-API-Token":"another","X-Forwarded-For":"::1"}}`)
			response := p.hear()
			if response.Status != 302 || string(response.Body) != "*/* the-token 2" {
				t.Errorf("%d %s", response.Status, response.Body)
			}
			if len(response.Headers) != 2 || response.Headers["Content-Type"] != "text/plain" || response.Headers["Cache-Control"] != "no-store" {
				t.Errorf("%v", response.Headers)
			}
		}},
		{"17 a push notification", func(t *testing.T) {
			p := openPhone(t, nil, true)
			p.say(`{"id":"1","method":"POST","path":"/api/push/test"}`)
			var notification pulsetrust.PushNotification
			var answered bool
			for range 2 { // the relay is told on channel 0, the phone on its own
				frame := p.receive()
				if frame.Type == pulsetrust.FramePushNotification && frame.Channel == 0 {
					if err := pulsetrust.DecodeControl(frame, &notification); err != nil {
						t.Error(err)
					}
					continue
				}
				response, err := p.keys.OpenResponse(frame.Payload)
				answered = err == nil && response.Status == 204
			}
			if notification.Type != "test" || notification.Priority != "normal" || notification.Title == "" || !answered {
				t.Errorf("%+v %v", notification, answered)
			}
		}},
	}
	if len(cases) != 17 {
		t.Errorf("%d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, c.run)
	}
}
