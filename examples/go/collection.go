package pulsetrust

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// How many handles may exist before this package starts a collection itself.
	uncollectedHandles = 10_000
	// How long a collection waits for its cleanups, which run after all those of the program.
	cleanupTimeout = time.Second
)

// A collection makes the garbage collector look for handles that nobody closed. The collector sees only a few words of
// each, not the memory that it holds in the library, so with a large heap it would leave them uncollected for a long time.
type collection struct {
	live    atomic.Int64
	gone    atomic.Int64 // how many were freed so far
	limit   atomic.Int64 // the number of live handles that triggers a collection
	mutex   sync.Mutex
	current chan struct{} // closed at the end of the collection that runs; nil if none does
}

var handles = newCollection()

func newCollection() *collection {
	c := &collection{}
	c.limit.Store(uncollectedHandles)
	return c
}

// made counts a new handle. Where handles are made faster than they are collected, it waits.
func (c *collection) made() {
	live, limit := c.live.Add(1), c.limit.Load()
	if live < limit {
		return
	}
	if done := c.start(); live >= 2*limit {
		<-done
	}
}

// start starts a collection if none runs. The channel is closed at its end.
func (c *collection) start() (done <-chan struct{}) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.current == nil {
		c.current = make(chan struct{})
		go c.run(c.current)
	}
	return c.current
}

func (c *collection) run(done chan struct{}) {
	before, gone := c.live.Load(), c.gone.Load()
	runtime.GC()
	c.awaitCleanups()
	// Without those that were made meanwhile, which say nothing yet.
	c.limit.Store(limitFor(before - (c.gone.Load() - gone)))
	c.mutex.Lock()
	c.current = nil
	c.mutex.Unlock()
	close(done)
}

// awaitCleanups waits until what the garbage collector found is freed. Before that, the number of live handles says little.
func (c *collection) awaitCleanups() {
	counts := []metrics.Sample{{Name: "/gc/cleanups/queued:cleanups"}, {Name: "/gc/cleanups/executed:cleanups"}}
	metrics.Read(counts)
	isCounted := counts[0].Value.Kind() == metrics.KindUint64 // from Go 1.26 on
	quiet := 20                                               // milliseconds without a cleanup that say that all have run
	if isCounted {
		quiet = 2
	}
	gone, unchanged := c.gone.Load(), 0
	for deadline := time.Now().Add(cleanupTimeout); unchanged < quiet && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
		metrics.Read(counts)
		now := c.gone.Load()
		isWaiting := isCounted && counts[1].Value.Uint64() < counts[0].Value.Uint64()
		if unchanged++; now != gone || isWaiting {
			gone, unchanged = now, 0
		}
	}
}

// freed counts a handle that was closed, or that the garbage collector found.
func (c *collection) freed() {
	c.live.Add(-1)
	c.gone.Add(1)
	if limit := limitFor(c.live.Load()); limit < c.limit.Load() {
		c.limit.Store(limit)
	}
}

// limitFor lets the number of live handles double before the next collection, as Go does with its heap.
func limitFor(live int64) int64 { return max(uncollectedHandles, 2*live) }
