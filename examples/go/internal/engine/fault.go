// Package engine calls pulse-trust: as WebAssembly that was translated to Go, or, with the build tag pulsetrust_cgo, through
// cgo with the static library. Both have the same functions, which contract/ writes.
package engine

// A Fault is why a call failed.
type Fault struct {
	Code     int32  // the stable number
	Message  string // what is wrong, without secrets
	WireCode string // what a relay's ERROR frame says, where there is one
	Detail   string // details as JSON, where there are some
}

func (f *Fault) Error() string { return f.Message }

const (
	CodePanic           = 1 // the number of a bug that was caught
	CodeInvalidArgument = 3 // the number of an argument that cannot be taken
)

func wipe(secret []byte) { clear(secret) }
