// Package pulsetrust decides who may register at Pulse's relay, as which instance, with which identity, and what a
// phone may believe of a pairing code. It is the Rust library pulse-trust: as WebAssembly in this package, which needs
// nothing but Go, or, with the build tag pulsetrust_cgo, through cgo with the static library. Both behave the same.
//
// A failure is an *[Error] with a stable [Code]:
//
//	if errors.Is(err, pulsetrust.ErrExpired) { ... }
//
// Values that hold something of the library ([TrustKeys], [Token], [Channel] and the like) are freed by the garbage
// collector; Close frees them, and wipes their secrets, at once. Files are kept on Unix systems; elsewhere a [DataDir]
// answers every call with an error.
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

// SetCompilationCache names a directory in which the WebAssembly engine keeps the compiled module, so that only the
// first process pays for compiling it. It counts if it is called before anything else; the cgo engine needs none.
func SetCompilationCache(directory string) { engine.SetCompilationCache(directory) }

// Version is the library's version.
func Version() (string, error) {
	in, err := anyInstance()
	if err != nil {
		return "", err
	}
	return engine.Version(in), nil
}
