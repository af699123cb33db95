// Package pulsetrust decides who may register at Pulse's relay, as which instance, with which identity, and what a phone
// may believe about a pairing code. It calls the Rust library pulse-trust. By default, that is WebAssembly translated to
// Go, which needs nothing else. With the build tag pulsetrust_cgo, it is the static library, called through cgo. Both
// behave the same.
//
// A failure is an *[Error] with a stable [Code]:
//
//	if errors.Is(err, pulsetrust.ErrExpired) { ... }
//
// Values that hold memory of the library ([TrustKeys], [Token], [Channel] and the like) are freed by the garbage collector;
// Close frees them, and wipes their secrets, at once. A call on a closed value, on nil or on a zero value of such a type,
// or with one of these as an argument, returns [ErrInvalidArgument], and so does the zero [time.Time] as the current time.
// Files need a Unix system; elsewhere every call on a [DataDir] returns an error.
//
// A bug in the library is reported as [ErrPanic]. WebAssembly cannot unwind, so in the default engine the bug is a trap:
// the instance that trapped releases its file locks, its memory is wiped, and values that lived in it return ErrPanic from
// then on. New values live in a new instance, and [TrustKeys] keep working.
//
// Many goroutines may use a value at the same time. Calls on a [Handshake] or a [Channel], which belong to one
// conversation, run one after the other.
package pulsetrust

import "github.com/rcourtman/pulse-trust/examples/go/internal/engine"

// Engine says how the library is called: "cgo" or "wasm".
const Engine = engine.Name

// Version is the library's version.
func Version() (string, error) {
	in, err := anyInstance()
	if err != nil {
		return "", err
	}
	return engine.Version(in), nil
}
