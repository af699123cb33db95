package compat_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func vectors() string {
	if folder := os.Getenv("PULSE_TRUST_VECTORS"); folder != "" {
		return folder
	}
	return "../../../tests/vectors/deployed"
}

func read[T any](t *testing.T, name string) (value T) {
	t.Helper()
	bytes, err := os.ReadFile(filepath.Join(vectors(), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bytes, &value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

func copied(t *testing.T, name string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(vectors(), name))); err != nil {
		t.Fatal(err)
	}
	return folder
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
