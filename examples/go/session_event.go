package pulsetrust

import (
	"encoding/json"
	"fmt"
)

// A SessionEvent is what a session tells its program. Event is its kind, which determines the members that count.
//
// An instance is told:
//   - "registered": phones reach it. InstanceID, Resumed (an earlier session goes on), ExpiresAt (0: the relay does not say).
//   - "renewed": the registration was extended. ExpiresAt.
//   - "refused": the relay refused the registration, or ended it. RelayError; RetryAt, nil until [Session.SetCredential].
//   - "disconnected": the connection is over, and every channel with it. Reason, RetryAt.
//   - "draining": the relay is going down. Reason in the relay's words.
//   - "channel_offered": a phone wants a channel. Channel, AuthToken. Answer with [Session.Accept] or [Session.Refuse].
//   - "channel_secured": only the phone can read what is sent on the channel. Channel.
//   - "channel_ended": nothing more can be sent on the channel. Channel, End, Reason.
//   - "request": a phone asks something. Channel, ProxyRequest. Answer with [Session.Respond].
//   - "relay_error": something failed, and the connection goes on. Channel (0: none), RelayError.
//   - "refresh_due": post Body to the control plane, then [Session.RefreshAnswered] or [Session.RefreshFailed].
//   - "lease_refreshed": the session registers with Token from now on. ExpiresAt. Save it with RefreshToken:
//     [DataDir.SaveRefreshedLease].
//   - "refresh_failed": it will be tried again. Refusal, RetryAt.
//   - "lease_lost": the control plane refused RefreshToken for good. Status. [DataDir.ClearLostLease]; the session waits
//     for [Session.SetCredential], and refreshes nothing anymore.
//
// A phone is told:
//   - "ready": the instance proved its identity. Requests may be made.
//   - "response": an answer, or a piece of one. RequestNumber, Response, IsLast.
//   - "request_failed": a request is over without a whole answer. RequestNumber; Reason, which is "timed_out",
//     "disconnected", or "canceled" by [Session.Cancel].
//   - "refused": the relay, or the instance through it, refused the connection. RelayError, Advice, RetryAt.
//   - "identity_refused": the peer is not the paired instance: warn the user. Refusal. The session has stopped.
//   - "draining": as for an instance.
//   - "disconnected": every request that waited has failed before. Reason, RetryAt; Message, the other side's own words.
//
// The Reason of "disconnected" is "connect_failed", "no_answer" (to the first frame), "silence", "lost", "drained" (the relay
// went down), "refused" (an event before says by whom), "protocol_error" or "stopped" (the context of Run ended).
//
// End is "closed" (Reason is the other side's words), "disconnected", "protocol_error" (Reason says what was wrong), "idle" or
// "too_slow" (more waits for the phone than is kept).
//
// Advice is "wait", "check_instance" (is it running?), "pair_again" or "check_subscription". With "pair_again" the session has
// stopped; otherwise it tries again.
type SessionEvent struct {
	Event      string          `json:"event"`
	InstanceID string          `json:"instance_id"`
	Resumed    bool            `json:"resumed"`
	ExpiresAt  int64           `json:"expires_at"` // Unix seconds
	Error      json.RawMessage `json:"error"`      // read it with RelayError or Refusal
	RetryAt    *int64          `json:"retry_at"`   // milliseconds after the session was made: see RetryIn; nil: none is planned
	Reason     string          `json:"reason"`
	Message    string          `json:"message"`
	Advice     string          `json:"advice"`
	Channel    uint32          `json:"channel"`
	AuthToken  string          `json:"auth_token"` // secret
	End        string          `json:"end"`
	// Request is a phone's request, for ProxyRequest, or the number of a request that this end made, for RequestNumber.
	Request  json.RawMessage `json:"request"`  // secret
	Response *ProxyResponse  `json:"response"` // secret
	IsLast   bool            `json:"is_last"`
	Body     string          `json:"body"`  // secret
	Token    string          `json:"token"` // secret
	// RefreshToken is what the session has asked with for a lease.
	RefreshToken string `json:"refresh_token"` // secret
	Status       int    `json:"status"`
}

// ProxyRequest is the request of an event "request".
func (e SessionEvent) ProxyRequest() (request ProxyRequest, err error) {
	if e.Event != "request" {
		return request, wrongEvent(e, `"request"`)
	}
	return request, json.Unmarshal(e.Request, &request)
}

// RequestNumber is the number, as [Session.Request] returned it, of the request that an event "response" or "request_failed"
// is about.
func (e SessionEvent) RequestNumber() (number uint64, err error) {
	if e.Event != "response" && e.Event != "request_failed" {
		return 0, wrongEvent(e, `"response" or "request_failed"`)
	}
	return number, json.Unmarshal(e.Request, &number)
}

// RelayError is the relay's message in an event "refused" or "relay_error".
func (e SessionEvent) RelayError() (message ErrorMessage) {
	_ = json.Unmarshal(e.Error, &message) // stays empty for an event without one
	return message
}

// Refusal is the library's error in an event "refresh_failed" or "identity_refused".
func (e SessionEvent) Refusal() error {
	var reason Reason
	if e.Event != "refresh_failed" && e.Event != "identity_refused" {
		return wrongEvent(e, `"refresh_failed" or "identity_refused"`)
	}
	if err := json.Unmarshal(e.Error, &reason); err != nil {
		return err
	}
	return &Error{Code: reason.Code, Message: reason.Message}
}

func wrongEvent(e SessionEvent, expected string) error {
	return &Error{Code: ErrInvalidArgument, Message: fmt.Sprintf("expected an event %s, received %q", expected, e.Event)}
}
