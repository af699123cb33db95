//go:build !pulsetrust_cgo

package engine

import (
	"math"
	"testing"
)

// The counter of calls wraps, and passes the largest int of the 32-bit machines.
func TestPickOverTheCountersEnds(t *testing.T) {
	size, err := Size()
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range []uint32{math.MaxInt32 - 2, math.MaxUint32 - 2} {
		next.Store(start)
		for range 6 {
			if index := Pick(); index < 0 || index >= size {
				t.Errorf("after %d: instance %d of %d", start, index, size)
			}
		}
	}
}
