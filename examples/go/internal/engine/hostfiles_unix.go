//go:build !pulsetrust_cgo && unix

package engine

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A directory was opened once; closing its lock file releases its lock.
type directory struct {
	descriptor int
	lock       int // -1 if the directory can only be read
}

// lock opens a directory and tries to take its lock. It never waits, because the instance would take no other call
// meanwhile.
func (h *hostFiles) lock(path string) (handle int32, readOnly bool) {
	root, answer := h.openRoot(path)
	if answer != answerDone {
		return answer, false
	}
	lock, reason, err := tryLock(root, path)
	if err != nil {
		unix.Close(root)
		if errors.Is(err, errBusy) {
			return answerBusy, false
		}
		if answer := h.failed(err); answer != answerFailed {
			return answer, false
		}
		return answerLockFailed, false
	}
	if lock >= 0 {
		sweep(root)
	} else {
		h.failure = reason
	}
	h.last++
	h.opened[h.last] = &directory{descriptor: root, lock: lock}
	return h.last, lock < 0
}

// openReadOnly opens a directory for reading only, without a lock.
func (h *hostFiles) openReadOnly(path string) int32 {
	root, answer := h.openRoot(path)
	if answer != answerDone {
		return answer
	}
	h.last++
	h.opened[h.last] = &directory{descriptor: root, lock: -1}
	return h.last
}

func (h *hostFiles) openRoot(path string) (root int, answer int32) {
	root, err := openFollowed(path)
	switch {
	case errors.Is(err, unix.ENOENT):
		return -1, answerAbsent
	case err != nil:
		return -1, h.failed(err)
	}
	return root, answerDone
}

func (d *directory) close() {
	if d.lock >= 0 {
		// Closing alone would not release the locks if a child process is about to run another program.
		unix.Flock(d.descriptor, unix.LOCK_UN)
		unix.Flock(d.lock, unix.LOCK_UN)
		unix.Close(d.lock)
	}
	unix.Close(d.descriptor)
}

func (h *hostFiles) directory(handle int32) (*directory, error) {
	if d, ok := h.opened[handle]; ok {
		return d, nil
	}
	return nil, unix.EBADF
}

// place finds the directory that a relative name is in, and the name's last part. The caller calls done.
func (h *hostFiles) place(handle int32, name string) (parent int, last string, done func(), err error) {
	if handle == noDirectory {
		return unix.AT_FDCWD, name, func() {}, nil
	}
	d, err := h.directory(handle)
	if err != nil {
		return -1, "", nil, err
	}
	parents, last := "", name
	if slash := strings.LastIndexByte(name, '/'); slash >= 0 {
		parents, last = name[:slash], name[slash+1:]
	}
	found, err := descend(d.descriptor, parents)
	if err != nil {
		return -1, "", nil, err
	}
	return found, last, func() { unix.Close(found) }, nil
}

func (h *hostFiles) read(handle int32, name string, limit uint64) (answer int32, wideMode uint32) {
	parent, last, done, err := h.place(handle, name)
	switch {
	case errors.Is(err, unix.ENOENT):
		return answerAbsent, 0
	case err != nil:
		return h.failed(unfollowed(err)), 0
	}
	defer done()
	var larger *tooLarge
	bytes, mode, err := readFile(parent, last, limit)
	switch {
	case errors.Is(err, unix.ENOENT):
		return answerAbsent, 0
	case errors.As(err, &larger):
		h.failure = strconv.FormatInt(larger.length, 10)
		return answerTooLarge, 0
	case err != nil:
		return h.failed(err), 0
	}
	return h.leave(bytes), mode
}

// write replaces a file or, with create, makes it if it does not exist.
func (h *hostFiles) write(handle int32, name string, bytes []byte, create bool) int32 {
	parent, last, done, err := h.place(handle, name)
	if err != nil {
		return h.failed(unfollowed(err))
	}
	defer done()
	checkLock := func() error { return h.checkLock(handle) }
	if create {
		err = createFile(parent, last, bytes, checkLock)
		if errors.Is(err, unix.EEXIST) {
			return answerExists
		}
	} else {
		err = replaceFile(parent, last, bytes, checkLock)
	}
	if err != nil {
		return h.failed(err)
	}
	return answerDone
}

// checkLock fails if the lock file was deleted while it was held: if directories cannot be locked, that lets others in.
func (h *hostFiles) checkLock(handle int32) error {
	d, err := h.directory(handle)
	if err != nil {
		return err
	}
	var locked unix.Stat_t
	if err := retry(func() error { return unix.Fstat(d.lock, &locked) }); err != nil {
		return err
	}
	is, err := isLockFile(d.descriptor, &locked)
	if err == nil && !is {
		err = errors.New("its lock file was removed or replaced while it was held, so others may be writing: try again")
	}
	return err
}

func (h *hostFiles) makeDirectory(handle int32, name string) int32 {
	if handle == noDirectory {
		// A new data directory: the operator chose its path. Whatever is made below it is made through its descriptor.
		if err := makeWithParents(name); err != nil {
			return h.failed(err)
		}
		return answerDone
	}
	d, err := h.directory(handle)
	if err == nil {
		err = makeDirectories(d.descriptor, name)
	}
	if err != nil {
		return h.failed(unfollowed(err))
	}
	return answerDone
}

func (h *hostFiles) list(handle int32, name string) ([]entry, int32) {
	d, err := h.directory(handle)
	var entries []entry
	if err == nil {
		entries, err = listDirectory(d.descriptor, name)
	}
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, answerAbsent
	case err != nil:
		return nil, h.failed(unfollowed(err))
	}
	return entries, answerDone
}

func (h *hostFiles) wideDirectoryMode(handle int32) uint32 {
	d, err := h.directory(handle)
	if err != nil {
		return 0
	}
	var stat unix.Stat_t
	if unix.Fstat(d.descriptor, &stat) != nil {
		return 0
	}
	return wide(&stat, 0o2700)
}

// unfollowed says what an error means for a directory that may be a link.
func unfollowed(err error) error {
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return errors.New("a directory on the path is a symbolic link, or is not a directory")
	}
	return err
}
