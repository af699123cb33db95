package pulsetrust

import "github.com/rcourtman/pulse-trust/examples/go/internal/engine"

// A FrameType is the type byte of a frame.
type FrameType uint8

// The frame types.
const (
	FrameRegister         FrameType = 0x01
	FrameRegisterAck      FrameType = 0x02
	FrameConnect          FrameType = 0x03
	FrameConnectAck       FrameType = 0x04
	FrameChannelOpen      FrameType = 0x05
	FrameChannelClose     FrameType = 0x06
	FrameData             FrameType = 0x07
	FramePing             FrameType = 0x08
	FramePong             FrameType = 0x09
	FrameError            FrameType = 0x0a
	FrameDrain            FrameType = 0x0b
	FrameKeyExchange      FrameType = 0x0c
	FramePushNotification FrameType = 0x0d
)

// A Frame is one message between an instance, the relay and a phone.
type Frame struct {
	Type    FrameType
	Channel uint32
	Payload []byte
}

// EncodeFrame gives the frame's bytes.
func EncodeFrame(frame Frame) ([]byte, error) {
	in, err := anyInstance()
	if err != nil {
		return nil, err
	}
	bytes, err := engine.FrameEncode(in, uint8(frame.Type), frame.Channel, frame.Payload)
	return bytes, wrap(err)
}

// DecodeFrame reads a frame; its payload is part of bytes.
func DecodeFrame(bytes []byte) (Frame, error) {
	in, err := anyInstance()
	if err != nil {
		return Frame{}, err
	}
	kind, channel, offset, err := engine.FrameDecode(in, bytes)
	if err != nil {
		return Frame{}, wrap(err)
	}
	return Frame{FrameType(kind), channel, bytes[offset:]}, nil
}
