package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// requestTimeout is how long a handler may take for a proxied request.
const requestTimeout = 30 * time.Second

// newAPI is the runtime's own HTTP server, as far as this example has one.
func newAPI(instance string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "healthy", "instance": instance})
	})
	return mux
}

// forwarded are the headers that a phone may set: they describe content. Any other could speak for a proxy or for
// another user, as X-Forwarded-For and Cookie do.
var forwarded = map[string]bool{
	"Accept": true, "Accept-Language": true, "Content-Type": true,
	"If-Match": true, "If-None-Match": true, "If-Modified-Since": true,
}

// answer asks the handler what a phone asked through a channel.
func answer(ctx context.Context, handler http.Handler, asked pulsetrust.ProxyRequest) (response pulsetrust.ProxyResponse) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// A path, not a URL: it must not choose the host.
	target, err := url.ParseRequestURI(asked.Path)
	if err != nil || !strings.HasPrefix(asked.Path, "/") || strings.HasPrefix(asked.Path, "//") {
		return failure(asked.ID, http.StatusBadRequest, "path_invalid")
	}
	request, err := http.NewRequestWithContext(ctx, asked.Method, target.String(), bytes.NewReader(asked.Body))
	if err != nil {
		return failure(asked.ID, http.StatusBadRequest, "request_invalid")
	}
	for name, value := range asked.Headers {
		if canonical := http.CanonicalHeaderKey(name); forwarded[canonical] {
			request.Header.Set(canonical, value)
		}
	}
	request.RequestURI = asked.Path
	request.RemoteAddr = "relay"
	recorded := &recorder{header: http.Header{}}
	defer func() {
		// One request's panic is not to end the runtime.
		if recover() != nil {
			response = failure(asked.ID, http.StatusInternalServerError, "handler_failed")
		}
	}()
	handler.ServeHTTP(recorded, request)
	if recorded.overflowed {
		return failure(asked.ID, http.StatusBadGateway, "response_too_large")
	}
	recorded.WriteHeader(http.StatusOK)
	response = pulsetrust.ProxyResponse{ID: asked.ID, Status: recorded.status, Body: recorded.body}
	// The frame has room for the largest body and little else.
	if kind := recorded.header.Get("Content-Type"); kind != "" && len(kind) <= 256 {
		response.Headers = map[string]string{"Content-Type": kind}
	}
	return response
}

func failure(id string, status int, code string) pulsetrust.ProxyResponse {
	body, _ := json.Marshal(map[string]string{"error": code}) // a map of texts always has JSON
	headers := map[string]string{"Content-Type": "application/json"}
	return pulsetrust.ProxyResponse{ID: id, Status: status, Headers: headers, Body: body}
}

// recorder keeps a handler's response, up to what one frame carries.
type recorder struct {
	header     http.Header
	status     int
	body       []byte
	overflowed bool
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
}

func (r *recorder) Write(bytes []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if len(r.body)+len(bytes) > pulsetrust.MaxBody {
		r.overflowed = true
		return 0, http.ErrContentLength
	}
	r.body = append(r.body, bytes...)
	return len(bytes), nil
}
