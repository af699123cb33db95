// Package pulsetrust decides who may register at Pulse's relay, as which instance, with which identity, and what a
// phone may believe of a pairing code. It is the Rust library pulse-trust: as WebAssembly that was translated to Go, so
// that this package needs nothing else, or, with the build tag pulsetrust_cgo, through cgo with the static library. Both
// behave the same.
//
// A failure is an *[Error] with a stable [Code]:
//
//	if errors.Is(err, pulsetrust.ErrExpired) { ... }
//
// Values that hold something of the library ([TrustKeys], [Token], [Channel] and the like) are freed by the garbage
// collector; Close frees them, and wipes their secrets, at once. What was closed, a zero value of such a type, and nil for
// an argument that is one answer [ErrInvalidArgument]. Files are kept on Unix systems; elsewhere a [DataDir] answers every
// call with an error.
//
// A bug in the library is [ErrPanic]. WebAssembly cannot unwind, so there it is a trap: the instance that trapped releases
// its file locks, its memory is wiped, and values that lived in it answer ErrPanic from then on; new ones live in a new
// instance, and [TrustKeys] work on.
//
// All but [Handshake] and [Channel], which belong to
// one conversation, may be used by many goroutines; those two are safe too, one call after the other.
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
