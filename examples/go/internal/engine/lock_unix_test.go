//go:build !pulsetrust_cgo && unix

package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Two starts had an identity each: the lock file of the first was deleted, so that the second made its own, and the first
// wrote all the same.
func TestALockFileThatIsDeletedLetsNobodyIn(t *testing.T) {
	first, second, directory := newHostFiles(), newHostFiles(), t.TempDir()
	held, readOnly := first.lock(directory)
	if held <= 0 || readOnly {
		t.Fatalf("lock: %d %s", held, first.failure)
	}
	if err := os.Remove(filepath.Join(directory, lockFile)); err != nil {
		t.Fatal(err)
	}
	if handle, _ := second.lock(directory); handle != answerBusy {
		t.Errorf("a second one has the lock: %d", handle)
	}
	for _, create := range []bool{false, true} {
		answer := first.write(held, "relay.enc", []byte("{}"), create)
		if answer != answerFailed || !strings.Contains(first.failure, "lock file was removed") {
			t.Errorf("create %v: %d %s", create, answer, first.failure)
		}
	}
	if names, err := namesOf(first.opened[held].descriptor); err != nil || len(names) != 1 || names[0] != lockFile {
		t.Errorf("what is left: %q, %v", names, err)
	}
	first.unlock(held)
	if handle, readOnly := second.lock(directory); handle <= 0 || readOnly {
		t.Errorf("after the first has released it: %d %s", handle, second.failure)
	}
}
