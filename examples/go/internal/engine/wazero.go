//go:build !pulsetrust_cgo

package engine

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Name says which engine this is.
const Name = "wasm"

//go:embed pulse_trust.wasm
var module []byte

var background = context.Background()

// An Instance is where handles live: one module instance with memory of its own, which takes one call at a time.
type Instance struct {
	index     int // its slot
	mutex     sync.Mutex
	context   context.Context
	module    api.Module
	memory    api.Memory
	functions map[string]api.Function
	scratch   uint32 // room for arguments and outputs
	files     hostFiles
	current   call
	// What it trapped with. A bug in the library traps, as WebAssembly cannot unwind; after that the instance's memory
	// cannot be trusted, and it takes no further call.
	trap    error
	retired atomic.Bool
	// Where this is set, the module is offered no primitives of Go's: for tests, which compare the two.
	computesOwn bool
}

// retire ends an instance that trapped: its secrets are wiped, its locks released, and its slot in the pool gets a new
// instance with the next call.
func (in *Instance) retire(trap error) {
	in.trap = trap
	in.retired.Store(true)
	if memory, ok := in.memory.Read(0, in.memory.Size()); ok {
		wipe(memory)
	}
	in.files.unlockAll()
	in.module.Close(in.context)
}

func (in *Instance) fault() *Fault {
	return &Fault{Code: CodePanic, Message: "a bug in pulse-trust was caught: " + in.trap.Error()}
}

// Index is the slot that the instance is or was in.
func (in *Instance) Index() int { return in.index }

// A Ref is a handle.
type Ref struct {
	in      *Instance
	pointer uint32
}

// IsNil says that a Ref refers to nothing.
func (r Ref) IsNil() bool { return r.pointer == 0 }

// Instance is where the handle lives.
func (r Ref) Instance() *Instance { return r.in }

// Err is why the handle can be used no more: its instance trapped.
func (r Ref) Err() error {
	if !r.in.retired.Load() {
		return nil
	}
	r.in.mutex.Lock()
	defer r.in.mutex.Unlock()
	return r.in.fault()
}

// A pool has a slot for every call that can run at once, and an instance in each.
type pool struct {
	program
	notCached error // why the compilation cache is not used
	slots     []slot
}

type slot struct {
	filling  sync.Mutex
	instance atomic.Pointer[Instance]
}

var (
	compilationCache string
	instances        = sync.OnceValues(newPool)
	next             atomic.Uint32
)

// SetCompilationCache names a directory in which the compiled module is kept, so that only the first process pays for
// compiling it. It counts if it is called before anything else.
func SetCompilationCache(directory string) { compilationCache = directory }

// CompilationCacheError is why the cache that was named saves nothing; nil where it does, or where none was named.
func CompilationCacheError() error {
	pool, err := instances()
	if err != nil {
		return err
	}
	return pool.notCached
}

// Size is the number of slots; it never changes.
func Size() (int, error) {
	pool, err := instances()
	if err != nil {
		return 0, err
	}
	return len(pool.slots), nil
}

// At is the instance of a slot: a new one where the last one trapped.
func At(index int) (*Instance, error) {
	pool, err := instances()
	if err != nil {
		return nil, err
	}
	slot := &pool.slots[index]
	if in := slot.instance.Load(); in != nil && !in.retired.Load() {
		return in, nil
	}
	slot.filling.Lock()
	defer slot.filling.Unlock()
	if in := slot.instance.Load(); in != nil && !in.retired.Load() {
		return in, nil
	}
	in, err := newInstance(pool.program, index)
	if err != nil {
		return nil, notStarted(err)
	}
	slot.instance.Store(in)
	return in, nil
}

// Pick gives the index of a slot to make a call on, a free one where there is one.
func Pick() int {
	pool, err := instances()
	if err != nil {
		return 0
	}
	start := int(next.Add(1) % uint32(len(pool.slots))) // an int of 32 bits could be negative
	for offset := range pool.slots {
		index := (start + offset) % len(pool.slots)
		in := pool.slots[index].instance.Load()
		if in == nil || in.retired.Load() {
			return index
		}
		if in.mutex.TryLock() {
			in.mutex.Unlock()
			return index
		}
	}
	return start
}

func newPool() (*pool, error) {
	made, notCached, err := compile(module, compilationCache)
	if err != nil {
		return nil, notStarted(err)
	}
	return &pool{program: made, notCached: notCached, slots: make([]slot, runtime.GOMAXPROCS(0))}, nil
}

// notStarted is an error of wazero's, which has compiled and run this module on each platform: it is the machine that has
// no memory left, or allows no code to be made.
func notStarted(err error) *Fault {
	return &Fault{Code: CodePanic, Message: "the WebAssembly engine did not start: " + err.Error()}
}

func newInstance(program program, index int) (*Instance, error) {
	in := &Instance{index: index, functions: map[string]api.Function{}, files: newHostFiles()}
	in.context = withInstance(in)
	config := wazero.NewModuleConfig().WithName("").WithRandSource(rand.Reader)
	module, err := program.engine.InstantiateModule(in.context, program.module, config)
	if err != nil {
		return nil, err
	}
	in.module, in.memory = module, module.Memory()
	pointer, err := in.function("pulse_wasm_alloc").Call(in.context, scratchLen)
	if err != nil || pointer[0] == 0 {
		return nil, fmt.Errorf("pulse_wasm_alloc: %w", err)
	}
	in.scratch = uint32(pointer[0])
	return in, nil
}

// function is one of the module's exports. Each is prepared when it is first called: few of them are, in most processes.
func (in *Instance) function(name string) api.Function {
	function, ok := in.functions[name]
	if !ok {
		function = in.module.ExportedFunction(name)
		in.functions[name] = function
	}
	return function
}
