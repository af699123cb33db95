//go:build !pulsetrust_cgo

package engine

import (
	"errors"
	"testing"

	"github.com/rcourtman/pulse-trust/examples/go/internal/machine"
)

// Where the memory was full, the next value was called a bug, and every value of the instance was dead.
func TestAFullInstanceRefusesNewValuesAndKeepsTheOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it takes the gigabyte that an instance may have")
	}
	in, err := newInstance(0)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := IdentityGenerate(in)
	if err != nil {
		t.Fatal(err)
	}
	// Blocks that stand for values: one that stays, and small ones, because one call takes only so much.
	allocate := func(length int32) (place int32) {
		c := in.begin()
		defer c.end()
		place = answer(c, func(m *machine.Module) int32 { return m.Xpulse_wasm_alloc(length) })
		if place == 0 {
			t.Fatal("the memory was full before anything was refused")
		}
		return place
	}
	allocate(mostMemory - 3*reserveOfValue)
	var blocks []int32
	fill := func(until func() bool) {
		for !until() {
			blocks = append(blocks, allocate(leftByCall))
		}
	}
	empty := func() {
		for _, place := range blocks {
			c := in.begin()
			c.run(func(m *machine.Module) { m.Xpulse_wasm_free(place, leftByCall) })
			c.end()
		}
		blocks = nil
	}
	isRefused := func(err error) bool {
		var fault *Fault
		return errors.As(err, &fault) && fault.Code == CodeInvalidArgument
	}

	fill(func() bool { return in.Spare() != nil })
	if err := in.Spare(); !isRefused(err) || !in.space.isFull() {
		t.Errorf("%v", err)
	}
	for range 1000 { // values that exist can be used
		if _, err := IdentityFingerprint(identity); err != nil {
			t.Fatal(err)
		}
	}
	empty()
	if err := in.Spare(); err != nil {
		t.Errorf("after what filled it was freed: %v", err)
	}
	if made, err := IdentityGenerate(in); err != nil {
		t.Error(err)
	} else {
		IdentityFree(made)
	}

	fill(func() bool {
		_, err = IdentityFingerprint(identity)
		return err != nil
	})
	if !isRefused(err) {
		t.Errorf("a call on a full instance: %v", err)
	}
	if made, err := IdentityGenerate(in); !isRefused(err) {
		t.Errorf("a value in a full instance: %v, %v", made, err)
	}
	empty()
	if _, err := IdentityFingerprint(identity); err != nil {
		t.Errorf("after what filled it was freed: %v", err)
	}
}

// What the garbage collector finds is freed at once where nothing runs, and with the next call where something does.
func TestADiscardedHandleDoesNotWaitForTheInstance(t *testing.T) {
	in, err := newInstance(0)
	if err != nil {
		t.Fatal(err)
	}
	freed := 0
	free := func(ref Ref) {
		IdentityFree(ref)
		freed++
	}
	discard := func(count int) {
		for range count {
			identity, err := IdentityGenerate(in)
			if err != nil {
				t.Fatal(err)
			}
			held := in.mutex.TryLock()
			if !held {
				t.Fatal("the instance is not free")
			}
			Discard(identity, free)
			in.mutex.Unlock()
		}
	}
	identity, err := IdentityGenerate(in)
	if err != nil {
		t.Fatal(err)
	}
	Discard(identity, free)
	if freed != 1 {
		t.Errorf("an instance that is free has freed %d", freed)
	}
	discard(3)
	if freed != 3 { // the last one waits
		t.Errorf("%d were freed by the calls in between", freed)
	}
	if _ = Version(in); freed != 4 || in.discard.count.Load() != 0 {
		t.Errorf("%d were freed, %d are left", freed, in.discard.count.Load())
	}
}
