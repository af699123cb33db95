//go:build !pulsetrust_cgo && unix

package engine

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A data directory and its parents had root as their owner, and a mode that the umask made.
func TestAMadeDirectoryHasItsModeAndTheOwnerOfItsParent(t *testing.T) {
	parent := t.TempDir()
	const owner, group = 12345, 12346
	isRoot := os.Geteuid() == 0
	if isRoot {
		if err := os.Chown(parent, owner, group); err != nil {
			t.Fatal(err)
		}
	}
	defer unix.Umask(unix.Umask(0o277)) // takes even the owner's right to write
	files := newHostFiles()
	if answer := files.makeDirectory(noDirectory, filepath.Join(parent, "a", "b")+"/./c/"); answer != answerDone {
		t.Fatalf("%d %s", answer, files.failure)
	}
	for _, path := range []string{"a", "a/b", "a/b/c"} {
		var made unix.Stat_t
		if err := unix.Stat(filepath.Join(parent, path), &made); err != nil {
			t.Fatal(err)
		}
		if mode := made.Mode & 0o7777; mode != 0o700 {
			t.Errorf("%s has mode %o", path, mode)
		}
		if isRoot && (made.Uid != owner || made.Gid != group) {
			t.Errorf("%s belongs to %d:%d", path, made.Uid, made.Gid)
		}
	}
	// What exists stays as it is.
	if err := os.Chmod(filepath.Join(parent, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if answer := files.makeDirectory(noDirectory, filepath.Join(parent, "a")); answer != answerDone {
		t.Errorf("%d %s", answer, files.failure)
	}
	if info, err := os.Stat(filepath.Join(parent, "a")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if !isRoot {
		t.Skip("skipped in part: only root can give a directory to another owner")
	}
}

func TestADirectoryThatCannotBeMade(t *testing.T) {
	parent, files := t.TempDir(), newHostFiles()
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below"), parent + "/missing/../x", ""} {
		if answer := files.makeDirectory(noDirectory, path); answer != answerFailed || files.failure == "" {
			t.Errorf("%q: %d %s", path, answer, files.failure)
		}
	}
	t.Chdir(parent)
	if answer := files.makeDirectory(noDirectory, "relative/below"); answer != answerDone {
		t.Errorf("a relative path: %d %s", answer, files.failure)
	}
}
