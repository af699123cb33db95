//go:build !pulsetrust_cgo && unix

package engine

import (
	"cmp"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const lockFile = ".pulse-trust.lock"

// errBusy: somebody else holds the lock, or has replaced the lock file or the directory meanwhile.
var errBusy = errors.New("locked by another process")

// tryLock tries to take the lock of the directory that was opened as root, the same lock that the native library takes. If
// nobody can write there, lock is -1, and reason says why.
func tryLock(root int, path string) (lock int, reason string, err error) {
	lock, err = openOrMakeLock(root)
	switch {
	case err == nil:
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EEXIST):
		return -1, "", errBusy
	case preventsWriting(err):
		return -1, systemText(err), nil
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EISDIR):
		return -1, "", errNotRegular
	default:
		return -1, "", err
	}
	if err := holdLock(root, path, lock); err != nil {
		unix.Close(lock)
		return -1, "", err
	}
	return lock, "", nil
}

func holdLock(root int, path string, lock int) error {
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Fstat(lock, &stat) }); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return errNotRegular
	}
	err := retry(func() error { return unix.Flock(lock, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errBusy
	}
	if err != nil {
		return err
	}
	// The directory as well, because nobody can delete that lock. A file system that cannot lock directories has only the
	// file's.
	err = retry(func() error { return unix.Flock(root, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errBusy
	}
	if err := checkCurrent(root, path, &stat); err != nil {
		return err
	}
	if err := refuseLinks(lock); err != nil {
		return err
	}
	if stat.Mode&0o7777 != 0o600 {
		unix.Fchmod(lock, 0o600) // others must not lock it; a file of somebody else keeps its mode
	}
	return nil
}

// openOrMakeLock opens the lock file. A new one appears with its mode and its owner, or not at all.
func openOrMakeLock(root int) (int, error) {
	flags := unix.O_RDWR | unix.O_NOFOLLOW | unix.O_NONBLOCK
	lock, err := open(root, lockFile, flags)
	if !errors.Is(err, unix.ENOENT) {
		return lock, err
	}
	temporary, err := writeTemporary(root, nil, nil)
	if err != nil {
		return -1, err
	}
	if err := renameToNew(root, temporary, lockFile); err != nil && !errors.Is(err, unix.EEXIST) {
		return -1, err
	}
	return open(root, lockFile, flags)
}

// preventsWriting reports that no file can be made or opened for writing, so there is nobody to lock out either.
func preventsWriting(err error) bool {
	for _, errno := range []unix.Errno{unix.EACCES, unix.EPERM, unix.EROFS, unix.ENOSPC, unix.EDQUOT} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// isLockFile says whether the file that was locked is still the lock file of its directory.
func isLockFile(root int, locked *unix.Stat_t) (bool, error) {
	var now unix.Stat_t
	err := retry(func() error { return unix.Fstatat(root, lockFile, &now, unix.AT_SYMLINK_NOFOLLOW) })
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	return err == nil && isSame(&now, locked), err
}

func isSame(a, b *unix.Stat_t) bool { return a.Dev == b.Dev && a.Ino == b.Ino }

// checkCurrent says whether the file that was locked is still the lock file, in the directory that the path still leads
// to.
func checkCurrent(root int, path string, locked *unix.Stat_t) error {
	if is, err := isLockFile(root, locked); err != nil || !is {
		return cmp.Or(err, errBusy)
	}
	var now, opened unix.Stat_t
	if err := retry(func() error { return unix.Stat(path, &now) }); err != nil {
		return errBusy
	}
	if err := retry(func() error { return unix.Fstat(root, &opened) }); err != nil {
		return err
	}
	if !isSame(&now, &opened) {
		return errBusy
	}
	return nil
}

// refuseLinks refuses a lock file that has another name too, because it may be somebody else's file. On a file system that
// offers no better way, a lock file that is just being made has two names for a moment.
func refuseLinks(lock int) error {
	for range 5 {
		var stat unix.Stat_t
		if err := retry(func() error { return unix.Fstat(lock, &stat) }); err != nil {
			return err
		}
		if stat.Nlink <= 1 {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return errors.New("it has a second name (a hard link): remove the file, and it will be created again")
}
