//go:build !pulsetrust_cgo

package engine

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/rcourtman/pulse-trust/examples/go/internal/machine"
)

// Name says which engine this is.
const Name = "wasm"

// An Instance is where handles live: one module instance with memory of its own, which takes one call at a time.
type Instance struct {
	index   int // its slot
	mutex   sync.Mutex
	module  *machine.Module
	memory  *[]byte // the module's; it is another one after growing
	scratch int32   // room for arguments and outputs
	files   hostFiles
	current call
	discard discards
	space   space
	// The same instance, for calls of whoever holds its mutex: only this is set in it.
	held *Instance
	of   *Instance
	// What it trapped with. A bug in the library traps, because WebAssembly cannot unwind; after that the instance's memory
	// cannot be trusted, and it takes no further call.
	trap    error
	retired atomic.Bool
	// If set, the module is not offered Go's primitives: for tests, which compare the two.
	computesOwn bool
}

// retire ends an instance that trapped: its secrets are wiped, its locks are released, and its slot in the pool gets a new
// instance with the next call.
func (in *Instance) retire(trap error) {
	in.trap = trap
	in.retired.Store(true)
	wipe(*in.memory)
	in.files.unlockAll()
}

func (in *Instance) fault() *Fault {
	return &Fault{Code: CodePanic, Message: "a bug in pulse-trust was caught: " + in.trap.Error()}
}

// view is a part of the module's memory, if it lies inside.
func (in *Instance) view(place, length int32) (part []byte, ok bool) {
	from, end := uint64(uint32(place)), uint64(uint32(place))+uint64(uint32(length))
	if end > uint64(len(*in.memory)) {
		return nil, false
	}
	return (*in.memory)[from:end:end], true
}

// Index is the slot that the instance is or was in.
func (in *Instance) Index() int { return in.index }

// A Ref is a handle.
type Ref struct {
	in      *Instance
	pointer int32
}

// IsNil says that a Ref refers to nothing.
func (r Ref) IsNil() bool { return r.pointer == 0 }

// Instance is where the handle lives.
func (r Ref) Instance() *Instance { return r.in }

// Err says why the handle can no longer be used: its instance trapped.
func (r Ref) Err() error {
	if !r.in.retired.Load() {
		return nil
	}
	r.in.mutex.Lock()
	defer r.in.mutex.Unlock()
	return r.in.fault()
}

// A slot has an instance once it is needed.
type slot struct {
	filling  sync.Mutex
	instance atomic.Pointer[Instance]
}

// There is a slot for every call that can run at once.
var (
	slots = make([]slot, runtime.GOMAXPROCS(0))
	next  atomic.Uint32
)

// Size is the number of slots; it never changes.
func Size() int { return len(slots) }

// At is the instance of a slot: a new one where the last one trapped.
func At(index int) (*Instance, error) {
	slot := &slots[index]
	if in := slot.instance.Load(); in != nil && !in.retired.Load() {
		return in, nil
	}
	slot.filling.Lock()
	defer slot.filling.Unlock()
	if in := slot.instance.Load(); in != nil && !in.retired.Load() {
		return in, nil
	}
	in, err := newInstance(index)
	if err != nil {
		return nil, err
	}
	slot.instance.Store(in)
	return in, nil
}

// Pick returns the index of a slot to make a call on: a free one, if there is one, and rather one whose memory is not full.
func Pick() int {
	start := int(next.Add(1) % uint32(len(slots))) // an int of 32 bits could be negative
	best := -1
	for offset := range slots {
		index := (start + offset) % len(slots)
		in := slots[index].instance.Load()
		if in == nil || in.retired.Load() {
			return index
		}
		if in.space.isFull() {
			continue
		}
		if in.mutex.TryLock() {
			in.mutex.Unlock()
			return index
		}
		if best < 0 {
			best = index
		}
	}
	if best < 0 {
		return start
	}
	return best
}

func newInstance(index int) (*Instance, error) {
	in := &Instance{index: index, files: newHostFiles()}
	in.held = &Instance{of: in}
	in.module = machine.New(host{in})
	in.memory = in.module.Xmemory().Slice()
	c := in.begin()
	defer c.end()
	in.scratch = answer(c, func(m *machine.Module) int32 { return m.Xpulse_wasm_alloc(scratchLen) })
	if in.trap == nil && in.scratch == 0 {
		in.trap = fmt.Errorf("WebAssembly has no memory for the first %d bytes", scratchLen)
	}
	if in.trap != nil {
		return nil, in.fault()
	}
	return in, nil
}
