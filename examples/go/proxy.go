package pulsetrust

import (
	"fmt"

	"github.com/rcourtman/pulse-trust/examples/go/internal/checkedjson"
	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// MaxBody is the largest body of a proxied request or response, in bytes.
const MaxBody = engine.MaxBodyLen

// A ProxyRequest is what a phone seals into a DATA frame.
type ProxyRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`              // secret, where its query is
	Headers map[string]string `json:"headers,omitempty"` // secret
	Body    []byte            `json:"body,omitempty"`    // secret
}

// A ProxyResponse is what an instance seals back.
type ProxyResponse struct {
	ID         string            `json:"id"`
	Status     int               `json:"status"`
	Headers    map[string]string `json:"headers,omitempty"` // secret
	Body       []byte            `json:"body,omitempty"`    // secret
	Stream     bool              `json:"stream,omitempty"`
	StreamDone bool              `json:"stream_done,omitempty"`
}

// SealRequest seals a request and returns the payload of a DATA frame.
func (c *Channel) SealRequest(request ProxyRequest) ([]byte, error) {
	return sealJSON(c, request, request.Body)
}

// OpenRequest opens the payload of a DATA frame from a phone.
func (c *Channel) OpenRequest(sealed []byte) (request ProxyRequest, err error) {
	err = openJSON(c, sealed, &request, &request.Body)
	return request, err
}

// SealResponse seals a response and returns the payload of a DATA frame.
func (c *Channel) SealResponse(response ProxyResponse) ([]byte, error) {
	return sealJSON(c, response, response.Body)
}

// OpenResponse opens the payload of a DATA frame from an instance.
func (c *Channel) OpenResponse(sealed []byte) (response ProxyResponse, err error) {
	err = openJSON(c, sealed, &response, &response.Body)
	return response, err
}

func sealJSON(channel *Channel, message any, body []byte) ([]byte, error) {
	if err := checkBody(body); err != nil {
		return nil, err
	}
	text, err := marshal(message)
	if err != nil {
		return nil, err
	}
	return channel.Seal(text)
}

func openJSON(channel *Channel, sealed []byte, message any, body *[]byte) error {
	text, err := channel.Open(sealed)
	if err != nil {
		return err
	}
	if err := checkedjson.Read(text, message); err != nil {
		return controlError(FrameData, err)
	}
	return checkBody(*body)
}

func checkBody(body []byte) error {
	if len(body) > MaxBody {
		return &Error{Code: ErrBodyTooLarge, Message: fmt.Sprintf("a body of %d bytes: at most %d", len(body), MaxBody)}
	}
	return nil
}
