package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

func ask(t *testing.T, handler http.HandlerFunc, asked pulsetrust.ProxyRequest) (sent []pulsetrust.ProxyResponse) {
	t.Helper()
	proxy(t.Context(), handler, asked, "the-token", func(response pulsetrust.ProxyResponse) error {
		sent = append(sent, response)
		return nil
	})
	for index, response := range sent {
		if response.ID != asked.ID || response.Stream != (index < len(sent)-1) {
			t.Errorf("piece %d of %d: %+v", index, len(sent), response)
		}
	}
	return sent
}

// Whatever a handler does, it is answered once, in what fits a frame.
func TestAnswersFitAFrame(t *testing.T) {
	write := func(w http.ResponseWriter, length int) { _, _ = w.Write(make([]byte, length)) }
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		status  int
	}{
		"nothing":     {func(http.ResponseWriter, *http.Request) {}, 200},
		"the largest": {func(w http.ResponseWriter, _ *http.Request) { write(w, pulsetrust.MaxBody) }, 200},
		"too large":   {func(w http.ResponseWriter, _ *http.Request) { write(w, pulsetrust.MaxBody); write(w, 1) }, 413},
		"a panic":     {func(http.ResponseWriter, *http.Request) { panic("a bug") }, 502},
		"a long content type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", strings.Repeat("x", 100_000))
		}, 200},
	} {
		sent := ask(t, c.handler, pulsetrust.ProxyRequest{ID: "1", Method: "GET", Path: "/"})
		if len(sent) != 1 || sent[0].Status != c.status {
			t.Errorf("%s: %d answers, %+v", name, len(sent), sent[0].Status)
		}
		if len(fmt.Sprint(sent[0].Headers)) > 1000 || len(sent[0].Body) > pulsetrust.MaxBody {
			t.Errorf("%s does not fit", name)
		}
	}
}

// A stream of events is sent event by event, and its end is said.
func TestAStreamIsSentInPieces(t *testing.T) {
	sent := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, text := range []string{"data: a\n", "\ndata: b\ndata: c\n\n", "data: rest"} {
			_, _ = w.Write([]byte(text))
			w.(http.Flusher).Flush()
		}
	}, pulsetrust.ProxyRequest{ID: "1", Method: "GET", Path: "/events"})
	var bodies []string
	for _, piece := range sent {
		bodies = append(bodies, string(piece.Body))
	}
	if got := strings.Join(bodies, "|"); got != "|data: a|data: b\ndata: c|data: rest|" {
		t.Errorf("%q", got)
	}
	if last := sent[len(sent)-1]; !last.StreamDone || sent[0].Headers["Content-Type"] != "text/event-stream" {
		t.Errorf("%+v", last)
	}
}

// A phone describes content; it speaks in its own name, not for a proxy or another user.
func TestHeadersThatAreForwarded(t *testing.T) {
	var seen http.Header
	var uri string
	handler := func(_ http.ResponseWriter, r *http.Request) { seen, uri = r.Header, r.RequestURI }
	asked := pulsetrust.ProxyRequest{ID: "1", Method: "GET", Path: "api/x?y=1#z", Headers: map[string]string{
		"accept": "*/*", "Cookie": "session=1", "Authorization": "Bearer x", "X-Forwarded-For": "127.0.0.1",
		"X-API-Token": "another",
	}}
	if sent := ask(t, handler, asked); sent[0].Status != 200 {
		t.Fatal(sent[0].Status)
	}
	if len(seen) != 2 || seen.Get("Accept") != "*/*" || seen.Get("X-API-Token") != "the-token" {
		t.Errorf("%v", seen)
	}
	if !strings.HasPrefix(uri, "/api/x?y=1") {
		t.Errorf("%s", uri)
	}
	for _, path := range []string{"//another.example.test/", "http://another.example.test/", "%zz"} {
		asked.Path = path
		if sent := ask(t, handler, asked); sent[0].Status != 400 {
			t.Errorf("%s: %d", path, sent[0].Status)
		}
	}
}
