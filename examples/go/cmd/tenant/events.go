package main

import (
	"encoding/json"
	"errors"
	"io"
	"sync"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// An event is one line on stdout; its kind is the member "event".
type event map[string]any

type events struct {
	mutex sync.Mutex
	lines *json.Encoder
}

func newEvents(out io.Writer) *events {
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false) // a pairing code stays as a phone scans it
	return &events{lines: lines}
}

func (e *events) write(line event) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	_ = e.lines.Encode(line) // if stdout is gone, there is nobody left to tell
}

func (e *events) warn(warnings []string) {
	for _, warning := range warnings {
		e.write(event{"event": "warning", "message": warning})
	}
}

func (e *events) failed(err error) {
	e.write(withReason(event{"event": "failed"}, err))
}

// withReason adds what is wrong: the library's number and name if the error is the library's, the wire code if it is the
// relay's.
func withReason(line event, err error) event {
	line["message"] = err.Error()
	var refusal *pulsetrust.Error
	if errors.As(err, &refusal) {
		line["code"], line["name"] = int32(refusal.Code), refusal.Code.Name()
	}
	var answer *relayError
	if errors.As(err, &answer) {
		line["wire_code"] = answer.Code
	}
	return line
}
