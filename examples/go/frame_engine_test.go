package pulsetrust

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// The codec in Go and the library's say the same of every frame: bytes, and errors to the letter.
func TestTheFrameCodecIsTheLibrarys(t *testing.T) {
	compared := 0
	decode := func(raw []byte) {
		t.Helper()
		compared++
		frame, err := DecodeFrame(raw)
		in, engineErr := anyInstance()
		if engineErr != nil {
			t.Fatal(engineErr)
		}
		kind, channel, offset, engineErr := engine.FrameDecode(in, raw)
		if !reflect.DeepEqual(err, wrap(engineErr)) {
			t.Fatalf("%x: %v\nthe library: %v", raw[:min(len(raw), 16)], err, engineErr)
		}
		if err == nil && (uint8(frame.Type) != kind || frame.Channel != channel || !bytes.Equal(frame.Payload, raw[offset:])) {
			t.Fatalf("%x: %+v", raw[:min(len(raw), 16)], frame)
		}
	}
	encode := func(frame Frame) {
		t.Helper()
		compared++
		raw, err := EncodeFrame(frame)
		in, engineErr := anyInstance()
		if engineErr != nil {
			t.Fatal(engineErr)
		}
		given, engineErr := engine.FrameEncode(in, uint8(frame.Type), frame.Channel, frame.Payload)
		if !bytes.Equal(raw, given) || !reflect.DeepEqual(err, wrap(engineErr)) {
			t.Fatalf("type %d: %v\nthe library: %v", frame.Type, err, engineErr)
		}
		if err == nil {
			decode(raw)
		}
	}

	var vectors struct {
		Frames []struct {
			Hex string `json:"frame_hex"`
		} `json:"frames"`
		Decode []struct {
			Hex string `json:"hex"`
		} `json:"decode"`
	}
	text, err := os.ReadFile("../../tests/vectors/deployed/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, c := range append(vectors.Frames[:0:0], vectors.Frames...) {
		raw, _ := hex.DecodeString(c.Hex)
		decode(raw)
	}
	for _, c := range vectors.Decode {
		raw, _ := hex.DecodeString(c.Hex)
		decode(raw)
	}
	for kind := range 256 {
		encode(Frame{FrameType(kind), uint32(kind) << 24, []byte("payload")})
		decode([]byte{1, byte(kind), 0, 0, 0, 1})
		decode([]byte{byte(kind), 7, 0, 0, 0, 1})
	}
	for length := range 8 {
		decode(make([]byte, length))
	}
	for _, length := range []int{MaxPayload - 1, MaxPayload, MaxPayload + 1} {
		encode(Frame{FrameData, 1, make([]byte, length)})
		decode(append([]byte{1, 7, 0, 0, 0, 1}, make([]byte, length)...))
		decode(append([]byte{1, 99, 0, 0, 0, 1}, make([]byte, length)...))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		raw := make([]byte, random.IntN(64))
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		if len(raw) > 1 && random.IntN(2) == 0 {
			raw[0], raw[1] = 1, byte(random.IntN(16))
		}
		decode(raw)
	}
	if compared < 1800 {
		t.Errorf("only %d were compared", compared)
	}
}
