package pulsetrust

import (
	"runtime"
	"runtime/debug"
	"sync"
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

// The collector's goroutines waited for the engine behind the goroutines that keep it busy: handles were freed at half the
// rate at which they were made, until the memory was full.
func TestHandlesOfBusyGoroutinesAreCollected(t *testing.T) {
	signer, err := GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	public, err := signer.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewTrustKeys(public, "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := SignToken(signer, KindLease, []byte(`{"org_id":"default","instance_host":"h.example.test","exp":4102444800}`), false)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Second)
	var workers sync.WaitGroup
	for range 8 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for time.Now().Before(deadline) && !t.Failed() {
				if _, err := VerifyToken(keys, token, LeaseChecks{Host: AnyHost()}, time.Now()); err != nil {
					t.Error(err)
				}
				if live := handles.live.Load(); live > 3*uncollectedHandles {
					t.Errorf("%d handles that nobody refers to", live)
				}
			}
		})
	}
	workers.Wait()
}
