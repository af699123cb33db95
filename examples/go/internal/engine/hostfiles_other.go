//go:build !pulsetrust_cgo && !unix

package engine

import (
	"errors"
	"runtime"
)

// Files need what this package has only on Unix systems: locks and atomic replacement in a directory that is held open.
var errNoFiles = errors.New("pulse-trust keeps files on Unix systems only, not on " + runtime.GOOS)

// A directory is never opened.
type directory struct{}

func (*directory) close() {}

func (h *hostFiles) lock(string) (int32, bool) { return h.failed(errNoFiles), false }

func (h *hostFiles) openReadOnly(string) int32 { return h.failed(errNoFiles) }

func (h *hostFiles) read(int32, string, uint64) (int32, uint32) { return h.failed(errNoFiles), 0 }

func (h *hostFiles) write(int32, string, []byte, bool) int32 { return h.failed(errNoFiles) }

func (h *hostFiles) makeDirectory(int32, string) int32 { return h.failed(errNoFiles) }

func (h *hostFiles) list(int32, string) ([]entry, int32) { return nil, h.failed(errNoFiles) }

func (*hostFiles) wideDirectoryMode(int32) uint32 { return 0 }
