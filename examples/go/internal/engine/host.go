//go:build !pulsetrust_cgo

package engine

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"

	"github.com/rcourtman/pulse-trust/examples/go/internal/machine"
)

// What a host function returns; lengths and handles are 0 or more (src/ffi/wasm.rs).
const (
	answerDone       = 0
	answerAbsent     = -1
	answerNotRegular = -2
	answerTooLarge   = -3
	answerExists     = -4
	answerNotDurable = -5
	answerFailed     = -6
	answerBusy       = -7
	answerLockFailed = -8
)

// host is what the module imports: random bytes and files, which only its host has, and what Go computes faster. A pointer
// of the module is an address in its memory.
type host struct{ in *Instance }

var _ machine.Xpulse_host = host{}

// bytes is a part of the module's memory. A pointer outside of it is a bug of the module, so this traps.
func (h host) bytes(place, length int32) []byte {
	part, ok := h.in.view(place, length)
	if !ok {
		panic("the module gave a pointer outside of its memory")
	}
	return part
}

func (h host) text(place, length int32) string { return string(h.bytes(place, length)) }

func (h host) setNumber(place int32, number uint32) {
	binary.LittleEndian.PutUint32(h.bytes(place, 4), number)
}

func (h host) Xrandom(out, length int32) int32 {
	rand.Read(h.bytes(out, length)) // never fails: https://pkg.go.dev/crypto/rand#Read
	return answerDone
}

func (h host) Xlock(path, pathLen, outReadOnly int32) int32 {
	handle, readOnly := h.in.files.lock(h.text(path, pathLen))
	if readOnly {
		h.setNumber(outReadOnly, 1)
	}
	return handle
}

func (h host) Xopen_read_only(path, pathLen int32) int32 {
	return h.in.files.openReadOnly(h.text(path, pathLen))
}

func (h host) Xunlock(directory int32) { h.in.files.unlock(directory) }

func (h host) Xfile_read(directory, name, nameLen int32, limit int64, outMode int32) int32 {
	answer, mode := h.in.files.read(directory, h.text(name, nameLen), uint64(limit))
	h.setNumber(outMode, mode)
	return answer
}

func (h host) Xfile_list(directory, name, nameLen int32) int32 {
	entries, answer := h.in.files.list(directory, h.text(name, nameLen))
	if answer != answerDone {
		return answer
	}
	bytes, err := json.Marshal(entries)
	if err != nil {
		return answerFailed
	}
	return h.in.files.leave(bytes)
}

func (h host) Xfile_write(directory, name, nameLen, data, length, create int32) int32 {
	return h.in.files.write(directory, h.text(name, nameLen), h.bytes(data, length), create != 0)
}

func (h host) Xdirectory_make(directory, name, nameLen int32) int32 {
	return h.in.files.makeDirectory(directory, h.text(name, nameLen))
}

func (h host) Xdirectory_mode(directory int32) int32 {
	return int32(h.in.files.wideDirectoryMode(directory))
}

func (h host) Xtake(out, length int32) {
	copy(h.bytes(out, length), h.in.files.left)
	wipe(h.in.files.left)
	h.in.files.left = nil
}

func (h host) Xfailure() int32 { return h.in.files.leave([]byte(h.in.files.failure)) }
