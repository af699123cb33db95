//go:build !pulsetrust_cgo && (amd64 || arm64)

package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A directory that cannot be written: what is there is used, and what is not there is compiled by every process.
func TestACacheThatCannotBeWritten(t *testing.T) {
	full, entry, _ := filled(t)
	empty, missing, _ := filled(t)
	for _, name := range []string{missing, missing + sumSuffix} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	damaged, changed, _ := filled(t)
	if err := os.Truncate(changed, 1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{entry, missing, changed} {
		for _, folder := range []string{filepath.Dir(name), filepath.Dir(filepath.Dir(name))} {
			if err := os.Chmod(folder, 0o555); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
		}
	}
	for _, name := range []string{entry, entry + sumSuffix, changed, changed + sumSuffix} {
		if err := os.Chmod(name, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	withoutRights(t, full, empty, damaged)
	if err := compiled(t, full); err != nil {
		t.Errorf("what is there is not used: %v", err)
	}
	for _, directory := range []string{empty, damaged} {
		if err := compiled(t, directory); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("what cannot be written: %v", err)
		}
	}
}

// An entry that others may not read was no reason to compile, but a failure.
func TestACacheThatCannotBeRead(t *testing.T) {
	directory, entry, _ := filled(t)
	if err := os.Chmod(filepath.Dir(entry), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(entry), 0o700) })
	withoutRights(t, directory)
	if err := compiled(t, directory); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("what cannot be read: %v", err)
	}
}

// withoutRights takes root's rights over files from this test's thread, until the test ends.
func withoutRights(t *testing.T, directories ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	for _, directory := range directories {
		for _, folder := range []string{directory, filepath.Dir(directory)} {
			if err := os.Chmod(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	runtime.LockOSThread()
	if _, err := unix.SetfsuidRetUid(65534); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = unix.SetfsuidRetUid(0)
		runtime.UnlockOSThread()
	})
}
