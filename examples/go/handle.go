package pulsetrust

import (
	"runtime"
	"sync"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// handle owns an object in the library. It is freed by close, or by the garbage collector together with its owner.
type handle struct {
	mutex   sync.RWMutex
	ref     engine.Ref
	free    func(engine.Ref)
	cleanup runtime.Cleanup
}

var (
	errClosed  = &Error{Code: ErrInvalidArgument, Message: "this value was closed: make another one"}
	errNotMade = &Error{Code: ErrInvalidArgument, Message: "the value is nil or a zero value: make it with the function that returns its type"}
)

// use calls job with the handle, which nobody can free during the call.
func (h *handle) use(job func(engine.Ref) error) error {
	if h == nil {
		return errNotMade
	}
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	if h.ref.IsNil() {
		return errClosed
	}
	err := job(h.ref)
	if err == nil {
		err = h.ref.Err() // what cannot fail says nothing of a trap
	}
	runtime.KeepAlive(h)
	return wrap(err)
}

// useAlone is like use, for an object that the call changes.
func (h *handle) useAlone(job func(engine.Ref) error) error {
	if h == nil {
		return errNotMade
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.ref.IsNil() {
		return errClosed
	}
	err := job(h.ref)
	if err == nil {
		err = h.ref.Err() // what cannot fail says nothing of a trap
	}
	runtime.KeepAlive(h)
	return wrap(err)
}

// livesIn reports whether there is a handle and it lives in this instance.
func (h *handle) livesIn(in *engine.Instance) bool { return h != nil && h.ref.Instance() == in }

func (h *handle) close() {
	if h == nil {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.ref.IsNil() {
		return
	}
	h.cleanup.Stop()
	h.free(h.ref)
	h.ref = engine.Ref{}
	handles.freed()
}

// newHandle owns ref.
func newHandle(ref engine.Ref, free func(engine.Ref)) *handle {
	h := &handle{ref: ref, free: free}
	h.cleanup = runtime.AddCleanup(h, func(ref engine.Ref) {
		engine.Discard(ref, free)
		handles.freed()
	}, ref)
	handles.made()
	return h
}

// own owns what a call makes in an instance, if that has room for it.
func own(in *engine.Instance, free func(engine.Ref), job func() (engine.Ref, error)) (*handle, error) {
	if err := spare(in); err != nil {
		return nil, err
	}
	ref, err := job()
	if err != nil {
		return nil, wrap(err)
	}
	h := newHandle(ref, free)
	if in.HasGrown() {
		handles.start()
	}
	return h, nil
}

// ownOnAny is own for what needs no handle to say in which instance.
func ownOnAny(free func(engine.Ref), job func(*engine.Instance) (engine.Ref, error)) (*handle, error) {
	in, err := anyInstance()
	if err != nil {
		return nil, err
	}
	return own(in, free, func() (engine.Ref, error) { return job(in) })
}

// spare says whether an instance has room for another value, once what nobody refers to was collected.
func spare(in *engine.Instance) error {
	if in.Spare() == nil {
		return nil
	}
	<-handles.start()
	return wrap(in.Spare())
}

// anyInstance is an instance for a call that has no handle to say which one.
func anyInstance() (*engine.Instance, error) { return instanceAt(pick()) }

// pick is the index of an instance to make a call on: one with room for another value, if there is one.
func pick() int {
	for range engine.Size() {
		index := engine.Pick()
		if in, err := engine.At(index); err != nil || in.Spare() == nil {
			return index
		}
	}
	return engine.Pick()
}

func instanceAt(index int) (*engine.Instance, error) {
	in, err := engine.At(index)
	return in, wrap(err)
}

// held is the handle of a value; nil for nil, and for a value that was never made.
func (a *Admission) held() *handle {
	if a == nil {
		return nil
	}
	return a.handle
}

func (c *Channel) held() *handle {
	if c == nil {
		return nil
	}
	return c.handle
}

func (d *DataDir) held() *handle {
	if d == nil {
		return nil
	}
	return d.handle
}

func (h *Handshake) held() *handle {
	if h == nil {
		return nil
	}
	return h.handle
}

func (i *Identity) held() *handle {
	if i == nil {
		return nil
	}
	return i.handle
}

func (s *Session) held() *handle {
	if s == nil {
		return nil
	}
	return s.handle
}

func (k *SigningKey) held() *handle {
	if k == nil {
		return nil
	}
	return k.handle
}

func (t *Token) held() *handle {
	if t == nil {
		return nil
	}
	return t.handle
}
