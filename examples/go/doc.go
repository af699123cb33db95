// Package pulsetrust decides who may register at Pulse's relay, as which instance, with which identity, and what a
// phone may believe of a pairing code. It is the Rust library pulse-trust: as WebAssembly in this package, which needs
// nothing but Go, or, with the build tag pulsetrust_cgo, through cgo with the static library. Both behave the same.
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

import (
	"errors"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// Engine says how the library is called: "cgo" or "wasm".
const Engine = engine.Name

// SetCompilationCache names a directory in which the WebAssembly engine keeps the compiled module, so that only the
// first process pays for compiling it. It counts if it is called before anything else; the cgo engine needs none.
//
// A damaged entry is compiled again and replaced. Where the directory cannot be used or written, every process compiles for
// itself, and [CompilationCacheError] says why; nothing else changes.
func SetCompilationCache(directory string) { engine.SetCompilationCache(directory) }

// CompilationCacheError is why the compilation cache saves nothing, with the code [ErrFile]: its directory cannot be read or
// written, for example. It is nil where the cache is used, and where none was named. It compiles the module, as a first
// call does.
func CompilationCacheError() error {
	err := engine.CompilationCacheError()
	if err == nil || errors.As(err, new(*engine.Fault)) {
		return wrap(err)
	}
	return &Error{Code: ErrFile, Message: "the compilation cache is not used: " + err.Error()}
}

// Version is the library's version.
func Version() (string, error) {
	in, err := anyInstance()
	if err != nil {
		return "", err
	}
	return engine.Version(in), nil
}
