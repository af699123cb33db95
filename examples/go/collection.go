package pulsetrust

import (
	"runtime"
	"sync/atomic"
)

// uncollectedHandles is how many handles may exist before this package starts a collection itself.
const uncollectedHandles = 10_000

// A collection makes the garbage collector look for handles that nobody closed. The collector sees only a few words of
// each, not the memory that it holds in the library, so with a large heap it would leave them uncollected for a long time.
type collection struct {
	live  atomic.Int64
	limit atomic.Int64 // the number of live handles that triggers a collection
	runs  atomic.Bool
}

var handles = newCollection()

func newCollection() *collection {
	c := &collection{}
	c.limit.Store(uncollectedHandles)
	return c
}

func (c *collection) made() {
	if c.live.Add(1) < c.limit.Load() || !c.runs.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer c.runs.Store(false)
		runtime.GC()
		c.space()
	}()
}

// collected counts what the garbage collector freed.
func (c *collection) collected() {
	c.live.Add(-1)
	c.space()
}

// space lets the number of live handles double before the next collection, as Go does with its heap.
func (c *collection) space() { c.limit.Store(max(uncollectedHandles, 2*c.live.Load())) }
