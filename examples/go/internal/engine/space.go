//go:build !pulsetrust_cgo

package engine

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/machine"
)

const (
	// A module's memory never grows above this. Its allocator traps where it gets no more, and the trap ends every value of
	// the instance, so a call is refused before.
	mostMemory = 1 << 30
	// What has to be free for a call that makes a value, or reads files.
	reserveOfValue = 64 << 20
	// What has to be free for every other call, so that values that exist can still be used.
	reserveOfCall = 8 << 20
	// How much more is looked for at once, as looking takes long.
	lookAhead = 16 << 20
	// What a call may leave in the memory besides a multiple of its arguments.
	leftByCall = 32 << 10
	// Below this, a growing memory is no reason to collect garbage.
	firstGrowth = 64 << 20
)

var errNoMemory = &Fault{Code: CodeInvalidArgument, Message: fmt.Sprintf(
	"the memory of an instance of WebAssembly is full (%d MiB): close values that are no longer used, or keep fewer; "+
		"the values that exist stay usable", mostMemory>>20)}

// A space is what is known of the room in an instance's memory.
type space struct {
	size atomic.Int64 // of the memory after the last call; it never shrinks
	free int          // bytes that were found free in one piece, without what calls may have taken since
	// Until when, in Unix nanoseconds, new values rather go to another instance.
	fullUntil atomic.Int64
	// The size above which garbage is collected next.
	growth atomic.Int64
}

func (s *space) isFull() bool {
	until := s.fullUntil.Load()
	return until != 0 && time.Now().UnixNano() < until
}

// Spare says whether the instance has room for another value, or for a call that reads files: nil if it has.
func (in *Instance) Spare() error {
	if in.space.size.Load() <= mostMemory-reserveOfValue {
		return nil
	}
	c := in.begin()
	defer c.end()
	if c.hasRoom(reserveOfValue) || c.in.trap != nil {
		in.space.fullUntil.Store(0)
		return nil // after a trap the call itself says so
	}
	in.space.fullUntil.Store(time.Now().Add(time.Second).UnixNano())
	return errNoMemory
}

// HasGrown says, once for each doubling of the memory, that it is time to look for values that nothing refers to.
func (in *Instance) HasGrown() bool {
	size, limit := in.space.size.Load(), in.space.growth.Load()
	return size >= max(limit, firstGrowth) && in.space.growth.CompareAndSwap(limit, 2*size)
}

// hasRoom says whether this much is free, besides a multiple of the call's arguments.
func (c *call) hasRoom(reserve int) bool {
	in, arguments := c.in, c.length+int(c.used)
	need := reserve + 4*arguments
	in.space.free = max(0, in.space.free-leftByCall-16*arguments)
	if len(*in.memory) <= mostMemory-need || in.space.free >= need {
		return true
	}
	for _, size := range []int{need + lookAhead, need} {
		found := answer(c, func(m *machine.Module) int32 { return m.Xpulse_wasm_alloc(int32(size)) })
		if found != 0 {
			c.run(func(m *machine.Module) { m.Xpulse_wasm_free(found, int32(size)) })
			in.space.free = size
			return true
		}
	}
	in.space.free = 0
	return false
}
