//go:build !pulsetrust_cgo && !unix

package engine

import (
	"errors"
	"runtime"
)

// Files need what only Unix systems have here: locks and atomic replacement in a directory that is held open.
var errNoFiles = errors.New("pulse-trust keeps files on Unix systems only, not on " + runtime.GOOS)

func (h *hostFiles) read(string, uint64) (int32, uint32) { return h.failed(errNoFiles), 0 }

func (h *hostFiles) write(string, []byte, bool) int32 { return h.failed(errNoFiles) }

func (h *hostFiles) makeDirectory(string) int32 { return h.failed(errNoFiles) }

func (h *hostFiles) list(string) ([]entry, int32) { return nil, h.failed(errNoFiles) }

func (h *hostFiles) lock(string) int32 { return h.failed(errNoFiles) }

func wideDirectoryMode(string) uint32 { return 0 }
