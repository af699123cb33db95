//go:build !pulsetrust_cgo

package engine

import (
	"sync"
	"sync/atomic"
)

// How many discarded handles are freed before the instance is given to the next caller.
const discardedAtOnce = 64

// Discards are handles that the garbage collector found, until somebody who has the instance frees them. The collector's
// goroutines do not wait for an instance: behind callers that keep it busy, they would free fewer handles than are made.
type discards struct {
	mutex   sync.Mutex
	handles []discarded
	count   atomic.Int64
}

type discarded struct {
	ref  Ref
	free func(Ref)
}

// Discard frees a handle that nothing refers to: now, if no call runs on its instance, or else with the next call.
func Discard(ref Ref, free func(Ref)) {
	in := ref.in
	if in == nil {
		free(ref)
		return
	}
	d := &in.discard
	d.mutex.Lock()
	d.handles = append(d.handles, discarded{ref, free})
	d.count.Add(1)
	d.mutex.Unlock()
	in.sweep()
}

// sweep frees what was discarded, unless a call runs: that one sweeps at its end.
func (in *Instance) sweep() {
	for in.discard.count.Load() > 0 && in.mutex.TryLock() {
		in.freeDiscarded()
		in.mutex.Unlock()
	}
}

// freeDiscarded frees some of what was discarded. The caller has the instance's mutex.
func (in *Instance) freeDiscarded() {
	d := &in.discard
	if d.count.Load() == 0 {
		return
	}
	d.mutex.Lock()
	first := max(0, len(d.handles)-discardedAtOnce)
	var some [discardedAtOnce]discarded
	count := copy(some[:], d.handles[first:])
	clear(d.handles[first:])
	d.handles = d.handles[:first]
	if first == 0 && cap(d.handles) > discardedAtOnce {
		d.handles = nil
	}
	d.count.Add(-int64(count))
	d.mutex.Unlock()
	for _, handle := range some[:count] {
		handle.free(Ref{in.held, handle.ref.pointer})
	}
}
