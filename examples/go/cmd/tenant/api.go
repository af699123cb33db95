package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

const (
	// requestTimeout is how long a handler may take for a proxied request that is no stream.
	requestTimeout = 30 * time.Second
	// streamTimeout bounds a stream that nobody ends.
	streamTimeout = 15 * time.Minute
)

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
	"Accept": true, "Accept-Encoding": true, "Accept-Language": true, "Content-Length": true, "Content-Type": true,
	"If-Match": true, "If-None-Match": true, "If-Modified-Since": true,
}

// returned are the headers of an answer that a phone is told.
var returned = []string{"Content-Type", "X-Request-Id", "Cache-Control"}

// proxy asks the handler what a phone asked, in the phone's name, and sends the answer: whole, or piece by piece where it
// is a stream of events. What the deployed proxy answers to what it does not take, this one answers too.
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
		// One request's panic is not to end the runtime.
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
		return nil, errors.New("a path that names a host")
	}
	return &url.URL{Path: target.Path, RawPath: target.RawPath, RawQuery: target.RawQuery}, nil
}

// A recorder sends a handler's response, once and at most one frame of it, or one frame for each event of a stream.
type recorder struct {
	ctx      context.Context
	cancel   context.CancelFunc
	id       string
	header   http.Header
	send     func(pulsetrust.ProxyResponse) error
	status   int
	body     []byte
	isStream bool
	isOver   bool
	// streams is isStream for the timer, which runs beside the handler.
	streams atomic.Bool
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status != 0 || status < 200 {
		return
	}
	r.status = status
	r.isStream = strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream")
	if r.isStream {
		r.streams.Store(true)
		r.piece(pulsetrust.ProxyResponse{Headers: r.headers(), Stream: true})
	}
}

func (r *recorder) Write(bytes []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if r.isOver {
		return 0, http.ErrHandlerTimeout
	}
	r.body = append(r.body, bytes...)
	if r.isStream {
		r.sendEvents()
	}
	if len(r.body) > pulsetrust.MaxBody {
		what := "response body"
		if r.isStream {
			what = "stream event"
		}
		r.fail(http.StatusRequestEntityTooLarge, what+" exceeds 47KB limit")
		return 0, http.ErrContentLength
	}
	return len(bytes), nil
}

// Flush is for handlers that stream; whole events are sent as they are written.
func (r *recorder) Flush() { r.WriteHeader(http.StatusOK) }

// sendEvents sends each whole event; an empty line ends one.
func (r *recorder) sendEvents() {
	for {
		event, rest, found := bytes.Cut(r.body, []byte("\n\n"))
		if !found {
			return
		}
		r.body = bytes.Clone(rest)
		if len(event) > 0 && len(event) <= pulsetrust.MaxBody {
			r.piece(pulsetrust.ProxyResponse{Body: event, Stream: true})
		}
	}
}

func (r *recorder) end() {
	if r.ctx.Err() != nil && !r.isStream {
		r.fail(http.StatusBadGateway, "local API request failed")
		return
	}
	r.WriteHeader(http.StatusOK)
	if !r.isStream {
		r.last(pulsetrust.ProxyResponse{Status: r.status, Headers: r.headers(), Body: r.body})
		return
	}
	if rest := bytes.TrimRight(r.body, "\n"); len(rest) > 0 {
		r.piece(pulsetrust.ProxyResponse{Body: rest, Stream: true})
	}
	r.last(pulsetrust.ProxyResponse{Status: r.status, StreamDone: true})
}

func (r *recorder) fail(status int, message string) {
	headers := map[string]string{"Content-Type": "application/json"}
	r.last(pulsetrust.ProxyResponse{Status: status, Headers: headers, Body: errorBody(message)})
}

// late ends the context of a handler that has not answered in time and does not stream. The handler's own goroutine then
// says so, so that nothing is written by two.
func (r *recorder) late() {
	if !r.streams.Load() {
		r.cancel()
	}
}

func (r *recorder) piece(piece pulsetrust.ProxyResponse) {
	if r.isOver {
		return
	}
	piece.ID, piece.Status = r.id, r.status
	if r.send(piece) != nil {
		// The phone is gone: the handler is told by its context.
		r.isOver = true
		r.cancel()
	}
}

func (r *recorder) last(response pulsetrust.ProxyResponse) {
	if r.isOver {
		return
	}
	r.isOver = true
	response.ID = r.id
	_ = r.send(response) // a phone that is gone needs no answer
}

// headers are short: a frame has room for the largest body and little else.
func (r *recorder) headers() map[string]string {
	told := map[string]string{}
	for _, name := range returned {
		if value := r.header.Get(name); value != "" && len(value) <= 256 {
			told[name] = value
		}
	}
	return told
}
