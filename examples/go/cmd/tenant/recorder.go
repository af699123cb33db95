package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A recorder sends a handler's response, once and at most one frame of it, or one frame for each event of a stream.
type recorder struct {
	ctx      context.Context
	cancel   context.CancelFunc
	id       string
	header   http.Header
	send     func(pulsetrust.ProxyResponse) error
	status   int
	body     []byte // of a stream, the line that has not ended yet
	event    []byte // of a stream, the lines of the event that is not complete yet
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
		headers := map[string]string{"Content-Type": "text/event-stream"}
		if id := r.headers()["X-Request-Id"]; id != "" {
			headers["X-Request-Id"] = id
		}
		r.piece(pulsetrust.ProxyResponse{Headers: headers, Stream: true})
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
		r.tooLarge()
	}
	if r.isOver {
		return 0, http.ErrContentLength
	}
	return len(bytes), nil
}

// Flush is for handlers that stream; complete events are sent as they are written.
func (r *recorder) Flush() { r.WriteHeader(http.StatusOK) }

// sendEvents sends each complete event. An empty line ends an event. The handler's lines may end with or without a carriage
// return; in the event they are joined by a line feed.
func (r *recorder) sendEvents() {
	for {
		line, rest, found := bytes.Cut(r.body, []byte("\n"))
		if !found {
			return
		}
		r.body = rest
		r.line(bytes.TrimSuffix(line, []byte("\r")))
	}
}

func (r *recorder) line(line []byte) {
	if len(line) == 0 {
		if len(r.event) > 0 {
			r.piece(pulsetrust.ProxyResponse{Body: r.event, Stream: true})
			r.event = nil
		}
		return
	}
	if len(r.event) > 0 {
		r.event = append(r.event, '\n')
	}
	r.event = append(r.event, line...)
	if len(r.event) > pulsetrust.MaxBody {
		r.tooLarge()
	}
}

func (r *recorder) tooLarge() {
	what := "response body"
	if r.isStream {
		what = "stream event"
	}
	r.fail(http.StatusRequestEntityTooLarge, what+" exceeds 47KB limit")
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
	r.line(bytes.TrimSuffix(r.body, []byte("\r")))
	r.line(nil)
	r.last(pulsetrust.ProxyResponse{Status: r.status, StreamDone: true})
}

func (r *recorder) fail(status int, message string) {
	headers := map[string]string{"Content-Type": "application/json"}
	r.last(pulsetrust.ProxyResponse{Status: status, Headers: headers, Body: errorBody(message)})
}

// late ends the context of a handler that has not answered in time and does not stream. The handler's own goroutine then
// reports that, so two goroutines never write.
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
		// The phone is gone: the handler learns that from its context.
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
