//go:build !pulsetrust_cgo && (amd64 || arm64)

package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// One function that does nothing: what compiles at once.
var smallest = []byte("\x00asm\x01\x00\x00\x00" + "\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + "\x0a\x04\x01\x02\x00\x0b")

// compiled compiles with the cache, and says why it is not used.
func compiled(t *testing.T, directory string) (notCached error) {
	t.Helper()
	made, notCached, err := compile(smallest, directory)
	if err != nil || made.module == nil {
		t.Fatalf("the module is not compiled: %v", err)
	}
	if _, err := made.engine.Instantiate(background, smallest); err != nil {
		t.Fatal(err)
	}
	made.engine.Close(background)
	return notCached
}

// filled is a cache directory with its one entry, and what that holds.
func filled(t *testing.T) (directory, entry string, content []byte) {
	t.Helper()
	directory = t.TempDir()
	if err := compiled(t, directory); err != nil {
		t.Fatal(err)
	}
	entries, err := filepath.Glob(filepath.Join(directory, "pulse-trust-*", "wazero-*", "*"+sumSuffix))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	entry = entries[0][:len(entries[0])-len(sumSuffix)]
	content, err = os.ReadFile(entry)
	if err != nil {
		t.Fatal(err)
	}
	return directory, entry, content
}

// A damaged entry failed every call of the library, or was executed.
func TestADamagedEntryOfTheCacheIsReplaced(t *testing.T) {
	flip := func(content []byte, at int) []byte {
		changed := bytes.Clone(content)
		changed[at] ^= 0x40
		return changed
	}
	for name, damage := range map[string]func(entry string, content []byte) error{
		"empty":          func(entry string, _ []byte) error { return os.Truncate(entry, 0) },
		"cut":            func(entry string, content []byte) error { return os.Truncate(entry, int64(len(content)/2)) },
		"its last byte":  func(entry string, content []byte) error { return os.Truncate(entry, int64(len(content)-1)) },
		"longer":         func(entry string, content []byte) error { return os.WriteFile(entry, append(content, 0), 0o600) },
		"another magic":  func(entry string, content []byte) error { return os.WriteFile(entry, flip(content, 0), 0o600) },
		"more functions": func(entry string, content []byte) error { return os.WriteFile(entry, flip(content, 12), 0o600) },
		// wazero's own checksum is of the code alone.
		"another offset": func(entry string, content []byte) error { return os.WriteFile(entry, flip(content, 19), 0o600) },
		"another code": func(entry string, content []byte) error {
			return os.WriteFile(entry, flip(content, len(content)-12), 0o600)
		},
		"without sum": func(entry string, _ []byte) error { return os.Remove(entry + sumSuffix) },
		"a cut sum":   func(entry string, _ []byte) error { return os.Truncate(entry+sumSuffix, 10) },
		"a directory": func(entry string, _ []byte) error {
			if err := os.Remove(entry); err != nil {
				return err
			}
			return os.Mkdir(entry, 0o700)
		},
	} {
		t.Run(name, func(t *testing.T) {
			directory, entry, content := filled(t)
			if err := damage(entry, bytes.Clone(content)); err != nil {
				t.Fatal(err)
			}
			if err := compiled(t, directory); err != nil {
				t.Errorf("the cache is not used: %v", err)
			}
			if now, err := os.ReadFile(entry); err != nil || !bytes.Equal(now, content) {
				t.Errorf("the entry was not replaced: %d bytes %v", len(now), err)
			}
			sum, err := sumOf(entry)
			if err != nil || !bytes.Equal(sum, keptSum(entry)) {
				t.Errorf("its sum was not replaced: %v", err)
			}
		})
	}
}

// What is as it was written is read, not written again.
func TestAnEntryOfTheCacheIsUsed(t *testing.T) {
	directory, entry, _ := filled(t)
	before, err := os.Stat(entry)
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled(t, directory); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(entry); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was written again: %v", err)
	}
}

// Nothing that keeps the cache from being used keeps the library from being used.
func TestWithoutAUsableCacheTheModuleIsCompiled(t *testing.T) {
	for name, spoil := range map[string]func(directory, entry string) error{
		"a file for a directory": func(directory, _ string) error {
			if err := os.RemoveAll(directory); err != nil {
				return err
			}
			return os.WriteFile(directory, nil, 0o600)
		},
		"an entry that stays": func(_, entry string) error {
			if err := os.Remove(entry); err != nil {
				return err
			}
			return os.MkdirAll(filepath.Join(entry, "something"), 0o700)
		},
		"a sum that stays": func(_, entry string) error {
			if err := os.Remove(entry + sumSuffix); err != nil {
				return err
			}
			return os.MkdirAll(filepath.Join(entry+sumSuffix, "something"), 0o700)
		},
	} {
		t.Run(name, func(t *testing.T) {
			directory, entry, _ := filled(t)
			if err := spoil(directory, entry); err != nil {
				t.Fatal(err)
			}
			if err := compiled(t, directory); err == nil {
				t.Error("nothing says that the cache is not used")
			}
		})
	}
}
