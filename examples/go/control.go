package pulsetrust

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/rcourtman/pulse-trust/examples/go/internal/checkedjson"
)

// A ControlPayload is the JSON of a control frame. Its members are written in the order and spelling of the deployed code;
// unknown members are ignored.
type ControlPayload interface{ frameType() FrameType }

// Register is an instance's first frame. It carries the license token and, as the hint, the instance secret; on reconnect
// it carries the session token and, as the hint, the instance id of the last ACK.
type Register struct {
	LicenseToken   string `json:"license_token"`           // secret
	SessionToken   string `json:"session_token,omitempty"` // secret
	InstanceHint   string `json:"instance_hint,omitempty"` // secret
	ClientVersion  string `json:"client_version,omitempty"`
	IdentityPubKey string `json:"identity_pub_key,omitempty"`
}

// RegisterAck is the relay's answer to Register.
type RegisterAck struct {
	InstanceID   string `json:"instance_id"`
	SessionToken string `json:"session_token"` // secret
	ExpiresAt    int64  `json:"expires_at"`    // Unix seconds
}

// Connect is how a phone asks for a channel to an instance.
type Connect struct {
	InstanceID              string                   `json:"instance_id"`
	AuthToken               string                   `json:"auth_token"`             // secret
	DeviceToken             string                   `json:"device_token,omitempty"` // secret
	Platform                string                   `json:"platform,omitempty"`
	NotificationPreferences *NotificationPreferences `json:"notification_preferences,omitempty"`
}

// NotificationPreferences are sent whole or not at all.
type NotificationPreferences struct {
	CriticalEnabled  bool `json:"critical_enabled"`
	WarningEnabled   bool `json:"warning_enabled"`
	ApprovalEnabled  bool `json:"approval_enabled"`
	FixResultEnabled bool `json:"fix_result_enabled"`
}

// ConnectAck is the relay's answer to Connect, once the instance has accepted.
type ConnectAck struct {
	ChannelID  uint32 `json:"channel_id"`
	InstanceID string `json:"instance_id"`
}

// ChannelOpen offers a channel to an instance, which sends it back to accept.
type ChannelOpen struct {
	ChannelID uint32 `json:"channel_id"`
	AuthToken string `json:"auth_token"` // secret
}

// ChannelClose ends a channel, or refuses one.
type ChannelClose struct {
	ChannelID uint32 `json:"channel_id"`
	Reason    string `json:"reason,omitempty"`
}

// ErrorMessage is the relay's refusal. Code is one of the wire codes, such as "AUTH_FAILED".
type ErrorMessage struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Drain says that the relay is about to shut down.
type Drain struct {
	Reason       string `json:"reason,omitempty"`
	ReconnectURL string `json:"reconn_url,omitempty"`
}

// PushNotification is what an instance asks the relay to deliver.
type PushNotification struct {
	Type       string `json:"type"`
	Priority   string `json:"priority"`
	Title      string `json:"title"`
	Body       string `json:"body"`
	InstanceID string `json:"instance_id,omitempty"`
	ActionType string `json:"action_type,omitempty"`
	ActionID   string `json:"action_id,omitempty"`
	Category   string `json:"category,omitempty"`
	Severity   string `json:"severity,omitempty"`
}

func (Register) frameType() FrameType         { return FrameRegister }
func (RegisterAck) frameType() FrameType      { return FrameRegisterAck }
func (Connect) frameType() FrameType          { return FrameConnect }
func (ConnectAck) frameType() FrameType       { return FrameConnectAck }
func (ChannelOpen) frameType() FrameType      { return FrameChannelOpen }
func (ChannelClose) frameType() FrameType     { return FrameChannelClose }
func (ErrorMessage) frameType() FrameType     { return FrameError }
func (Drain) frameType() FrameType            { return FrameDrain }
func (PushNotification) frameType() FrameType { return FramePushNotification }

var errNoPayload = &Error{Code: ErrInvalidArgument, Message: "the payload is nil: expected one of the types of control payloads"}

// EncodeControl returns the bytes of the frame that carries a payload.
func EncodeControl(channel uint32, payload ControlPayload) ([]byte, error) {
	if isNil(payload) {
		return nil, errNoPayload
	}
	text, err := marshal(payload)
	if err != nil {
		return nil, err
	}
	return EncodeFrame(Frame{payload.frameType(), channel, text})
}

// DecodeControl reads the payload of a frame into payload, a pointer, and replaces what that held. The frame's type must be
// that of the payload. As in the library, the names of members count as they are, null counts as absent, and a member that
// occurs twice is refused.
func DecodeControl(frame Frame, payload ControlPayload) error {
	if isNil(payload) {
		return errNoPayload
	}
	if reflect.TypeOf(payload).Kind() != reflect.Pointer {
		return &Error{Code: ErrInvalidArgument, Message: fmt.Sprintf("expected a pointer to the payload, received a %T", payload)}
	}
	if expected := payload.frameType(); frame.Type != expected {
		message := fmt.Sprintf("expected a frame of type 0x%02x, received 0x%02x", uint8(expected), uint8(frame.Type))
		return &Error{Code: ErrControlPayload, Message: message}
	}
	if err := checkedjson.Read(frame.Payload, payload); err != nil {
		return controlError(frame.Type, err)
	}
	return nil
}

// isNil reports whether a payload is nil or a nil pointer.
func isNil(payload ControlPayload) bool {
	value := reflect.ValueOf(payload)
	return !value.IsValid() || value.Kind() == reflect.Pointer && value.IsNil()
}

// controlError says what is wrong, without quoting the text.
func controlError(frame FrameType, err error) error {
	reason := "not one JSON object of the right members"
	var malformed *checkedjson.Malformed
	if errors.As(err, &malformed) {
		reason = malformed.Reason
	}
	return &Error{Code: ErrControlPayload, Message: fmt.Sprintf("frame type 0x%02x: %s", uint8(frame), reason)}
}
