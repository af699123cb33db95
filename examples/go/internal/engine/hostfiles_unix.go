//go:build !pulsetrust_cgo && unix

package engine

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

const lockFile = ".pulse-trust.lock"

func (h *hostFiles) read(path string, limit uint64) (answer int32, wideMode uint32) {
	// NONBLOCK: a FIFO in the file's place must not make us wait for a writer.
	descriptor, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return answerAbsent, 0
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENXIO):
		return answerNotRegular, 0
	case err != nil:
		return h.failed(err), 0
	}
	file := os.NewFile(uintptr(descriptor), path)
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return h.failed(err), 0
	}
	if !info.Mode().IsRegular() {
		return answerNotRegular, 0
	}
	if uint64(info.Size()) > limit {
		return answerTooLarge, 0
	}
	// Room for one byte more, which says that the file has grown since.
	bytes := make([]byte, info.Size()+1)
	length, err := io.ReadFull(file, bytes)
	if err == nil {
		wipe(bytes)
		return h.failed(errors.New("it changed while it was read")), 0
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return h.failed(err), 0
	}
	return h.leave(bytes[:length]), wide(info, 0o600)
}

// write replaces a file, or with create makes it where there is none: a new, unpredictably named file beside it with
// mode 0600, written, synced, renamed, and the directory synced.
func (h *hostFiles) write(path string, bytes []byte, create bool) int32 {
	existing, err := os.Lstat(path)
	switch {
	case err == nil && create:
		return answerExists
	case err == nil && !existing.Mode().IsRegular():
		return answerNotRegular
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return h.failed(err)
	}
	temporary, err := writeTemporary(filepath.Dir(path), bytes, existing)
	if err != nil {
		return h.failed(err)
	}
	if create {
		err = os.Link(temporary, path) // unlike a rename it replaces nothing
		os.Remove(temporary)
		if errors.Is(err, fs.ErrExist) {
			return answerExists
		}
	} else if err = os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
	}
	if err != nil {
		return h.failed(err)
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return h.failed(err)
	}
	return answerDone
}

func writeTemporary(directory string, bytes []byte, existing os.FileInfo) (path string, err error) {
	var random [16]byte
	rand.Read(random[:])
	path = filepath.Join(directory, ".pulse-trust-"+hex.EncodeToString(random[:])+".tmp")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer func() {
		if closing := file.Close(); err == nil {
			err = closing
		}
		if err != nil {
			os.Remove(path)
		}
	}()
	if err := keepOwner(file, existing, directory); err != nil {
		return "", err
	}
	if _, err := file.Write(bytes); err != nil {
		return "", err
	}
	return path, file.Sync()
}

// keepOwner gives a new file the owner of the one it replaces, or else the directory's.
func keepOwner(file *os.File, replaced os.FileInfo, directory string) error {
	give := func(owner os.FileInfo) error {
		own, err := file.Stat()
		if err != nil {
			return err
		}
		from, to := own.Sys().(*syscall.Stat_t), owner.Sys().(*syscall.Stat_t)
		if from.Uid == to.Uid {
			return nil
		}
		return file.Chown(int(to.Uid), int(to.Gid))
	}
	if replaced != nil {
		return give(replaced)
	}
	if owner, err := os.Stat(directory); err == nil {
		_ = give(owner) // who may not give files away keeps the new one
	}
	return nil
}

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	return directory.Sync()
}

func (h *hostFiles) makeDirectory(path string) int32 {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return h.failed(err)
	}
	return answerDone
}

func (h *hostFiles) list(path string) ([]entry, int32) {
	found, err := os.ReadDir(path) // in the order of the names
	if errors.Is(err, fs.ErrNotExist) {
		return nil, answerAbsent
	}
	if err != nil {
		return nil, h.failed(err)
	}
	entries := []entry{}
	for _, file := range found {
		kind := 0
		switch {
		case file.IsDir():
			kind = 1
		case file.Type()&fs.ModeSymlink != 0:
			if target, err := os.Stat(filepath.Join(path, file.Name())); err == nil && target.IsDir() {
				kind = 2
			}
		}
		entries = append(entries, entry{file.Name(), kind})
	}
	return entries, answerDone
}

// lock waits for the directory's lock, the same that the native library takes.
func (h *hostFiles) lock(directory string) int32 {
	if info, err := os.Stat(directory); err != nil || !info.IsDir() {
		return answerAbsent
	}
	path := filepath.Join(directory, lockFile)
	flags := unix.O_RDWR | unix.O_CREAT | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	descriptor, err := unix.Open(path, flags, 0o600)
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EROFS):
		return answerReadOnly
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EISDIR):
		return answerNotRegular
	case err != nil:
		return h.failed(err)
	}
	file := os.NewFile(uintptr(descriptor), path)
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		file.Close()
		return answerNotRegular
	}
	if err := keepOwner(file, nil, directory); err != nil {
		file.Close()
		return h.failed(err)
	}
	for {
		err := unix.Flock(descriptor, unix.LOCK_EX)
		if err == nil {
			h.opened++
			h.locks[h.opened] = file
			return h.opened
		}
		if !errors.Is(err, unix.EINTR) {
			file.Close()
			return h.failed(err)
		}
	}
}

func wideDirectoryMode(path string) uint32 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return wide(info, 0o2700)
}

// wide is the mode where it has bits that are not allowed, else 0.
func wide(info os.FileInfo, allowed uint32) uint32 {
	mode := uint32(info.Sys().(*syscall.Stat_t).Mode) & 0o7777 // 16 bits on darwin and freebsd
	if mode&^allowed != 0 {
		return mode
	}
	return 0
}
