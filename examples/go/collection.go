package pulsetrust

import (
	"runtime"
	"sync/atomic"
)

// uncollectedHandles is how many handles may wait for the garbage collector's own pace.
const uncollectedHandles = 10_000

// A collection has the garbage collector look for handles that nobody closed. It sees a few words of each, not what the
// handle holds in the library, so that beside a large heap it would let them lie.
type collection struct {
	live  atomic.Int64
	limit atomic.Int64 // of live handles, which asks for a collection
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

// space leaves a program with many live handles as many new ones before the next collection, as Go does with its heap.
func (c *collection) space() { c.limit.Store(max(uncollectedHandles, 2*c.live.Load())) }
