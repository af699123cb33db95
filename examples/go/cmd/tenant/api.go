package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

const (
	// requestTimeout is how long a handler may take for a proxied request that is not a stream.
	requestTimeout = 30 * time.Second
	// streamTimeout bounds a stream that nobody ends.
	streamTimeout = 15 * time.Minute
)

// newAPI is the runtime's own HTTP server, as far as this example has one.
func newAPI(instance string, push func(pulsetrust.PushNotification) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "healthy", "instance": instance})
	})
	mux.HandleFunc("POST /api/push/test", func(w http.ResponseWriter, _ *http.Request) {
		notification := pulsetrust.PushNotification{
			Type: "test", Priority: "normal", Title: "Pulse", Body: "Notifications reach this phone.",
		}
		if err := push(notification); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// forwarded are the headers that a phone may set: they describe content. Any other could speak for a proxy or for
// another user, as X-Forwarded-For and Cookie do.
var forwarded = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Accept-Language": true, "Content-Length": true, "Content-Type": true,
	"If-Match": true, "If-None-Match": true, "If-Modified-Since": true,
}

// returned are the headers of an answer that are passed on to a phone.
var returned = []string{"Content-Type", "X-Request-Id", "Cache-Control"}

// proxy passes a phone's request to the handler, in the phone's name, and sends the answer: whole, or piece by piece if it
// is a stream of events. It refuses the same requests as the deployed proxy, with the same answers.
func proxy(
	ctx context.Context, handler http.Handler, asked pulsetrust.ProxyRequest, token string,
	send func(pulsetrust.ProxyResponse) error,
) {
	ctx, cancel := context.WithTimeout(ctx, streamTimeout)
	defer cancel()
	recorded := &recorder{ctx: ctx, cancel: cancel, id: asked.ID, header: http.Header{}, send: send}
	timer := time.AfterFunc(requestTimeout, recorded.late)
	defer timer.Stop()
	target, err := requestURI(asked.Path)
	if err != nil {
		recorded.fail(http.StatusBadRequest, "invalid proxy path")
		return
	}
	request, err := http.NewRequestWithContext(ctx, asked.Method, target.RequestURI(), bytes.NewReader(asked.Body))
	if err != nil {
		recorded.fail(http.StatusInternalServerError, "failed to create request")
		return
	}
	for name, value := range asked.Headers {
		if canonical := http.CanonicalHeaderKey(strings.TrimSpace(name)); forwarded[canonical] {
			request.Header.Set(canonical, value)
		}
	}
	request.Header.Set("X-API-Token", token)
	request.RequestURI = target.RequestURI()
	request.RemoteAddr = "relay"
	defer func() {
		// One request's panic must not end the runtime.
		if recover() != nil {
			recorded.fail(http.StatusBadGateway, "local API request failed")
			return
		}
		recorded.end()
	}()
	handler.ServeHTTP(recorded, request)
}

// requestURI is a path and a query, and never another host: a path may lack its first slash.
func requestURI(path string) (*url.URL, error) {
	target, err := url.ParseRequestURI(path)
	if err != nil && !strings.HasPrefix(path, "/") {
		target, err = url.ParseRequestURI("/" + path)
	}
	switch {
	case err != nil:
		return nil, err
	case target.Scheme != "" || target.Host != "" || target.Opaque != "" || strings.HasPrefix(target.Path, "//"):
		return nil, errors.New("expected a path, received one that names a host")
	}
	if !strings.HasPrefix(target.Path, "/") {
		target.Path = "/" + target.Path
	}
	return &url.URL{Path: target.Path, RawQuery: target.RawQuery}, nil
}
