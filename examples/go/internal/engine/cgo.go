//go:build pulsetrust_cgo

package engine

/*
#cgo CFLAGS: -I${SRCDIR}
#cgo LDFLAGS: -L${SRCDIR}/../../../../target/capi -l:libpulse_trust.a -lm -ldl -lpthread
#include <pulse_trust.h>
*/
import "C"

import "unsafe"

// Name says which engine this is.
const Name = "cgo"

// An Instance is where handles live. With cgo there is one: the process.
type Instance struct{}

// A Ref is a handle.
type Ref struct{ pointer unsafe.Pointer }

// IsNil says that a Ref refers to nothing.
func (r Ref) IsNil() bool { return r.pointer == nil }

// Instance is where the handle lives.
func (r Ref) Instance() *Instance { return &process }

var process Instance

// Index is the slot that the instance is in.
func (in *Instance) Index() int { return 0 }

// Err says why the handle can no longer be used. With cgo that never happens, because a panic is caught in the call.
func (r Ref) Err() error { return nil }

// Size is the number of slots for instances.
func Size() int { return 1 }

// At is the instance of a slot.
func At(int) (*Instance, error) { return &process, nil }

// Pick gives the index of a slot to make a call on.
func Pick() int { return 0 }

// Discard frees a handle that nothing refers to.
func Discard(ref Ref, free func(Ref)) { free(ref) }

// Spare says whether there is room for another value. With cgo a value takes the memory of the process.
func (in *Instance) Spare() error { return nil }

// HasGrown says that it is time to look for values that nothing refers to.
func (in *Instance) HasGrown() bool { return false }

func takeBuffer(pointer unsafe.Pointer) []byte {
	buffer := (*C.pulse_buffer)(pointer)
	bytes := C.GoBytes(unsafe.Pointer(C.pulse_buffer_data(buffer)), C.int(C.pulse_buffer_len(buffer)))
	C.pulse_buffer_free(buffer)
	return bytes
}

func takeFault(status int32, pointer unsafe.Pointer) error {
	fault := (*C.pulse_error)(pointer)
	taken := &Fault{
		Code:     status,
		Message:  C.GoString(C.pulse_error_message(fault)),
		WireCode: C.GoString(C.pulse_error_wire_code(fault)),
		Detail:   C.GoString(C.pulse_error_detail_json(fault)),
	}
	C.pulse_error_free(fault)
	return taken
}
