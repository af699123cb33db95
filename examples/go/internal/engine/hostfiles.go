//go:build !pulsetrust_cgo

package engine

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// noDirectory, in place of a directory's handle, says that a name is an absolute path.
const noDirectory = -1

// hostFiles are the directories that an instance has opened and locked. On Unix they keep the guarantees of
// src/storage/native: a data directory is opened once and every access is relative to its descriptor, no link below it
// is followed, files are regular, bounded and replaced whole or not at all, with mode 0600, under the same lock.
// Elsewhere every call fails.
type hostFiles struct {
	left    []byte // what `take` will hand over
	failure string
	opened  map[int32]*directory
	last    int32
}

func newHostFiles() hostFiles { return hostFiles{opened: map[int32]*directory{}} }

func (h *hostFiles) leave(bytes []byte) int32 {
	h.left = bytes
	return int32(len(bytes))
}

var errNotRegular = errors.New("not a regular file")

// notDurable: the file is in place, but its directory could not be synced.
type notDurable struct{ cause error }

func (e *notDurable) Error() string { return e.cause.Error() }

func (h *hostFiles) failed(err error) int32 {
	var durable *notDurable
	switch {
	case errors.As(err, &durable):
		h.failure = systemText(durable.cause)
		return answerNotDurable
	case errors.Is(err, errNotRegular):
		return answerNotRegular
	}
	h.failure = systemText(err)
	return answerFailed
}

// systemText is the text that the library has for an error of the operating system with cgo, without the path, which the
// library adds itself.
func systemText(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	return fmt.Sprintf("%s%s (os error %d)", strings.ToUpper(text[:1]), text[1:], int(errno))
}

// An entry is a name and its kind: 0 a file, 1 a directory, 2 a link or unknown.
type entry [2]any

func (h *hostFiles) unlock(handle int32) {
	if d, ok := h.opened[handle]; ok {
		d.close() // the lock goes with it
		delete(h.opened, handle)
	}
}

// unlockAll releases what an instance that failed did not.
func (h *hostFiles) unlockAll() {
	for handle := range h.opened {
		h.unlock(handle)
	}
}
