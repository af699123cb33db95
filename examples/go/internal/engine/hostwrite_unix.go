//go:build !pulsetrust_cgo && unix

package engine

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// tooLarge: a file is longer than it may be.
type tooLarge struct{ length int64 }

func (e *tooLarge) Error() string { return "larger than it may be" }

// readFile reads a regular file of at most this many bytes, without following a link.
func readFile(parent int, name string, limit uint64) (bytes []byte, wideMode uint32, err error) {
	// NONBLOCK: a FIFO in the file's place must not make us wait for a writer.
	descriptor, err := open(parent, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) {
		return nil, 0, errNotRegular
	}
	if err != nil {
		return nil, 0, err
	}
	file := os.NewFile(uintptr(descriptor), name)
	defer file.Close()
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Fstat(descriptor, &stat) }); err != nil {
		return nil, 0, err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, 0, errNotRegular
	}
	if uint64(stat.Size) > limit {
		return nil, 0, &tooLarge{stat.Size}
	}
	// Room for one more byte, which shows that the file has grown since.
	bytes = make([]byte, stat.Size+1)
	length, err := io.ReadFull(file, bytes)
	if err == nil {
		wipe(bytes)
		return nil, 0, errors.New("it changed while it was read")
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	return bytes[:length], wide(&stat, 0o600), nil
}

// replaceFile replaces or makes a file: it writes and syncs a new, unpredictably named file beside it, renames that over
// it, and syncs the directory. The file keeps its owner. The lock is checked once more just before the rename.
func replaceFile(parent int, name string, bytes []byte, checkLock func() error) error {
	var existing unix.Stat_t
	replaced := &existing
	err := retry(func() error { return unix.Fstatat(parent, name, &existing, unix.AT_SYMLINK_NOFOLLOW) })
	switch {
	case errors.Is(err, unix.ENOENT):
		replaced = nil
	case err != nil:
		return err
	case existing.Mode&unix.S_IFMT != unix.S_IFREG:
		return errNotRegular
	}
	sweep(parent)
	temporary, err := writeTemporary(parent, bytes, replaced)
	if err != nil {
		return err
	}
	err = checkLock()
	if err == nil {
		err = retry(func() error { return unix.Renameat(parent, temporary, parent, name) })
	}
	if err != nil {
		unix.Unlinkat(parent, temporary, 0)
		return err
	}
	return syncDirectory(parent)
}

// createFile makes a file as replaceFile does; [unix.EEXIST] if it exists.
func createFile(parent int, name string, bytes []byte, checkLock func() error) error {
	temporary, err := writeTemporary(parent, bytes, nil)
	if err != nil {
		return err
	}
	if err := checkLock(); err != nil {
		unix.Unlinkat(parent, temporary, 0)
		return err
	}
	if err := renameToNew(parent, temporary, name); err != nil {
		return err
	}
	return syncDirectory(parent)
}

// renameToNew gives a temporary file its name if nothing else has that name; otherwise it removes the temporary file.
func renameToNew(parent int, temporary, name string) error {
	err := retry(func() error { return renameNoReplace(parent, temporary, name) })
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		// A file system or a kernel that does not support this.
		err = retry(func() error { return unix.Linkat(parent, temporary, parent, name, 0) })
		unix.Unlinkat(parent, temporary, 0)
		return err
	}
	if err != nil {
		unix.Unlinkat(parent, temporary, 0)
	}
	return err
}

func syncDirectory(parent int) error {
	if err := retry(func() error { return unix.Fsync(parent) }); err != nil {
		return &notDurable{err}
	}
	return nil
}

const (
	temporaryPrefix = ".pulse-trust-"
	temporarySuffix = ".tmp"
)

func writeTemporary(parent int, bytes []byte, replaced *unix.Stat_t) (name string, err error) {
	var random [16]byte
	rand.Read(random[:])
	name = temporaryPrefix + hex.EncodeToString(random[:]) + temporarySuffix
	descriptor, err := open(parent, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	file := os.NewFile(uintptr(descriptor), name)
	defer func() {
		if closing := file.Close(); err == nil {
			err = closing
		}
		if err != nil {
			unix.Unlinkat(parent, name, 0)
		}
	}()
	if err := retry(func() error { return unix.Fchmod(descriptor, 0o600) }); err != nil {
		return "", err
	}
	if replaced != nil {
		err = give(descriptor, replaced)
	} else {
		err = inherit(descriptor, parent)
	}
	if err != nil {
		return "", err
	}
	if _, err := file.Write(bytes); err != nil {
		return "", err
	}
	return name, file.Sync()
}

// sweep removes the temporary files that a killed process left behind. The caller holds the directory's lock.
func sweep(directory int) {
	names, _ := namesOf(directory)
	for _, name := range names {
		if strings.HasPrefix(name, temporaryPrefix) && strings.HasSuffix(name, temporarySuffix) {
			unix.Unlinkat(directory, name, 0)
		}
	}
}
