package main

import (
	"bytes"
	"net/http"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// Whatever a handler does, the answer fits a frame, sealed.
func TestAnswersFitAFrame(t *testing.T) {
	identity, err := pulsetrust.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	handshake, err := pulsetrust.StartHandshake()
	if err != nil {
		t.Fatal(err)
	}
	message, err := handshake.Message()
	if err != nil {
		t.Fatal(err)
	}
	keys, _, err := pulsetrust.AcceptKeyExchange(identity, message)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		status  int
	}{
		"nothing":     {func(http.ResponseWriter, *http.Request) {}, 200},
		"the largest": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, pulsetrust.MaxBody)) }, 200},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, pulsetrust.MaxBody))
			_, _ = w.Write([]byte{0})
		}, 502},
		"a panic": {func(http.ResponseWriter, *http.Request) { panic("a bug") }, 500},
		"a long content type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", string(bytes.Repeat([]byte{'x'}, 100_000)))
		}, 200},
	} {
		asked := pulsetrust.ProxyRequest{ID: string(bytes.Repeat([]byte{'i'}, maxRequestID)), Method: "GET", Path: "/"}
		response := answer(t.Context(), c.handler, asked)
		if response.Status != c.status || response.ID != asked.ID {
			t.Errorf("%s: %d", name, response.Status)
		}
		sealed, err := keys.SealResponse(response)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pulsetrust.EncodeFrame(pulsetrust.Frame{Type: pulsetrust.FrameData, Channel: 1, Payload: sealed}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A phone describes content; it does not speak for a proxy or another user.
func TestHeadersThatAreForwarded(t *testing.T) {
	var seen http.Header
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header })
	asked := pulsetrust.ProxyRequest{ID: "1", Method: "GET", Path: "/", Headers: map[string]string{
		"accept": "*/*", "Cookie": "session=1", "Authorization": "Bearer x", "X-Forwarded-For": "127.0.0.1",
	}}
	if response := answer(t.Context(), handler, asked); response.Status != 200 {
		t.Fatal(response.Status)
	}
	if len(seen) != 1 || seen.Get("Accept") != "*/*" {
		t.Errorf("%v", seen)
	}
	asked.Path = "//another.example.test/"
	if response := answer(t.Context(), handler, asked); response.Status != 400 {
		t.Errorf("a path that names a host: %d", response.Status)
	}
}
