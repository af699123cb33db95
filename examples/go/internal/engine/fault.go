// Package engine calls pulse-trust: as WebAssembly translated to Go or, with the build tag pulsetrust_cgo, as the static
// library through cgo. Both have the same functions, which contract/ generates.
package engine

// A Fault is why a call failed.
type Fault struct {
	Code     int32  // the stable number
	Message  string // what is wrong, without secrets
	WireCode string // what a relay's ERROR frame says, if there is one
	Detail   string // details as JSON, if there are any
}

func (f *Fault) Error() string { return f.Message }

const (
	CodePanic           = 1 // the number of a bug that was caught
	CodeInvalidArgument = 3 // the number for an argument that cannot be accepted
)

func wipe(secret []byte) { clear(secret) }
