//go:build !pulsetrust_cgo && unix

package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// An instance that traps releases everything: its locks are free for others, its memory is wiped, and its slot works
// on with another instance.
func TestATrapReleasesLocksAndRetiresTheInstance(t *testing.T) {
	index := Pick()
	in, err := At(index)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := IdentityGenerate(in)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	in.mutex.Lock()
	if handle, readOnly := in.files.lock(directory); handle <= 0 || readOnly {
		t.Fatalf("lock: %d %s", handle, in.files.failure)
	}
	in.mutex.Unlock()
	if isFree(t, directory) {
		t.Fatal("the lock is not held")
	}

	// A pointer far outside of the module's memory.
	broken := Ref{in, -0x1_0000}
	if _, err := IdentityFingerprint(broken); !isPanic(err) {
		t.Fatalf("a trap gives %v", err)
	}
	if !isFree(t, directory) {
		t.Error("the lock is still held after the trap")
	}
	if _, err := IdentityFingerprint(identity); !isPanic(err) {
		t.Errorf("a handle of the instance that trapped: %v", err)
	}
	if TokenKind(identity) != 0 || !isPanic(identity.Err()) {
		t.Error("what cannot fail does not say that the instance trapped")
	}
	IdentityFree(identity) // is ignored

	again, err := At(index)
	if err != nil || again == in {
		t.Fatalf("the slot has the instance that trapped: %v", err)
	}
	if _, err := IdentityGenerate(again); err != nil {
		t.Error(err)
	}
}

func isPanic(err error) bool {
	var fault *Fault
	return errors.As(err, &fault) && fault.Code == CodePanic
}

func isFree(t *testing.T, directory string) bool {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(directory, lockFile), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}
