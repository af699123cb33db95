//go:build !pulsetrust_cgo

package engine

import (
	"errors"
	"math"
	"strconv"
	"testing"
)

// The counter of calls wraps, and passes the largest int of the 32-bit machines.
func TestPickOverTheCountersEnds(t *testing.T) {
	size, err := Size()
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range []uint32{math.MaxInt32 - 2, math.MaxUint32 - 2} {
		next.Store(start)
		for range 6 {
			if index := Pick(); index < 0 || index >= size {
				t.Errorf("after %d: instance %d of %d", start, index, size)
			}
		}
	}
}

// An argument that is too large was called a bug, and the instance was given up with all that lived in it; above 4 GiB, its
// length was cut.
func TestAnArgumentThatTheMemoryHasNoRoomFor(t *testing.T) {
	made, err := newProgram(runtimeConfig().WithMemoryLimitPages(128)) // 8 MiB
	if err != nil {
		t.Fatal(err)
	}
	defer made.engine.Close(background)
	if made.module, err = made.engine.CompileModule(background, module); err != nil {
		t.Fatal(err)
	}
	in, err := newInstance(made, 0)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := IdentityGenerate(in)
	if err != nil {
		t.Fatal(err)
	}
	lengths := []uint64{8 << 20, 1<<31 + 1, 1<<32 + 8}
	if strconv.IntSize == 32 {
		lengths = lengths[:1]
	}
	for _, length := range lengths {
		var fault *Fault
		if _, _, err := ChannelAccept(identity, make([]byte, length)); !errors.As(err, &fault) || fault.Code != CodeInvalidArgument {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
	if _, err := IdentityFingerprint(identity); err != nil {
		t.Errorf("the instance works no more: %v", err)
	}
}
