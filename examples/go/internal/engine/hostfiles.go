//go:build !pulsetrust_cgo

package engine

import (
	"errors"
	"io/fs"
	"os"
)

// hostFiles are the files that an instance works on, and the locks that it holds. On Unix it keeps the guarantees of
// src/storage/native.rs: regular files only, links never followed, a file replaced whole or not at all, mode 0600, the
// same lock. Elsewhere every call fails.
type hostFiles struct {
	left    []byte // what `take` will hand over
	failure string
	locks   map[int32]*os.File
	opened  int32
}

func newHostFiles() hostFiles { return hostFiles{locks: map[int32]*os.File{}} }

func (h *hostFiles) leave(bytes []byte) int32 {
	h.left = bytes
	return int32(len(bytes))
}

func (h *hostFiles) failed(err error) int32 {
	h.failure = err.Error()
	var inner *fs.PathError
	if errors.As(err, &inner) {
		h.failure = inner.Err.Error()
	}
	return answerFailed
}

// An entry is a name and what it is: 0 a file, 1 a directory, 2 a link to a directory or what cannot be told.
type entry [2]any

func (h *hostFiles) unlock(handle int32) {
	if file, ok := h.locks[handle]; ok {
		file.Close() // the lock goes with the file
		delete(h.locks, handle)
	}
}

// unlockAll releases what an instance that failed did not.
func (h *hostFiles) unlockAll() {
	for handle := range h.locks {
		h.unlock(handle)
	}
}
