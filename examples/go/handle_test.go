package pulsetrust

import (
	"runtime/debug"
	"testing"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A handle is a few words to the garbage collector, so that it let hundreds of megabytes of the library's memory lie
// where a program that closes nothing had a large heap of its own.
func TestHandlesThatNobodyClosesAreCollected(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // as beside a heap of gigabytes: it collects nothing by itself
	const many = 20 * uncollectedHandles
	forget := func(count int) {
		for range count {
			newHandle(engine.Ref{}, func(engine.Ref) {})
		}
	}
	forget(many)
	deadline := time.Now().Add(20 * time.Second)
	for handles.live.Load() > 2*uncollectedHandles && time.Now().Before(deadline) {
		forget(uncollectedHandles / 100) // a collection comes with a handle
		time.Sleep(time.Millisecond)
	}
	if live := handles.live.Load(); live > 2*uncollectedHandles {
		t.Errorf("%d handles are left of more than %d", live, many)
	}
}
