//go:build !pulsetrust_cgo && unix

package engine

import (
	"errors"
	"os"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// retry repeats a call that a signal interrupted, as Go's own do.
func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func open(parent int, name string, flags int) (descriptor int, err error) {
	err = retry(func() (err error) {
		descriptor, err = unix.Openat(parent, name, flags|unix.O_CLOEXEC, 0o600)
		return err
	})
	return descriptor, err
}

// openFollowed opens the directory at a path that the operator has chosen, and which may lead through links.
func openFollowed(path string) (int, error) {
	return open(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_DIRECTORY)
}

func openBelow(parent int, name string) (int, error) {
	return open(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
}

// descend opens the directory of a relative name, or the root itself for an empty name.
func descend(root int, name string) (int, error) {
	descriptor, err := unix.FcntlInt(uintptr(root), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil || name == "" {
		return descriptor, err
	}
	for _, part := range strings.Split(name, "/") {
		next, err := openBelow(descriptor, part)
		unix.Close(descriptor)
		if err != nil {
			return -1, err
		}
		descriptor = next
	}
	return descriptor, nil
}

// makeDirectories makes the directories of a relative name, with mode 0700 and the owner of their parent.
func makeDirectories(root int, name string) error {
	descriptor, err := descend(root, "")
	if err != nil {
		return err
	}
	defer func() { unix.Close(descriptor) }()
	for _, part := range strings.Split(name, "/") {
		next, err := makeBelow(descriptor, part)
		if err != nil {
			return err
		}
		unix.Close(descriptor)
		descriptor = next
	}
	return nil
}

// makeWithParents makes the directory at a path, and those above it that are missing, each as makeDirectories does.
func makeWithParents(path string) error {
	var missing []string
	existing := path
	directory, err := openFollowed(existing)
	for errors.Is(err, unix.ENOENT) && existing != "." {
		trimmed := strings.TrimRight(existing, "/")
		slash := strings.LastIndexByte(trimmed, '/')
		switch name := trimmed[slash+1:]; name {
		case "", "..": // what is above these cannot be told from the text
			return err
		case ".":
		default:
			missing = append(missing, name)
		}
		if existing = trimmed[:slash+1]; existing == "" {
			existing = "."
		}
		directory, err = openFollowed(existing)
	}
	if err != nil {
		return err
	}
	defer func() { unix.Close(directory) }()
	for _, name := range slices.Backward(missing) {
		next, err := makeBelow(directory, name)
		if err != nil {
			return err
		}
		unix.Close(directory)
		directory = next
	}
	return nil
}

func makeBelow(parent int, name string) (int, error) {
	making := retry(func() error { return unix.Mkdirat(parent, name, 0o700) })
	made, err := openBelow(parent, name)
	if err != nil {
		if making != nil && !errors.Is(making, unix.EEXIST) {
			err = making
		}
		return -1, err
	}
	if making == nil {
		if err = retry(func() error { return unix.Fchmod(made, 0o700) }); err == nil {
			err = inherit(made, parent)
		}
		if err == nil {
			err = retry(func() error { return unix.Fsync(parent) })
		}
		if err != nil {
			unix.Close(made)
			return -1, err
		}
	}
	return made, nil
}

// listDirectory returns what a directory contains, sorted by name.
func listDirectory(root int, name string) ([]entry, error) {
	descriptor, err := descend(root, name)
	if err != nil {
		return nil, err
	}
	names, err := namesOf(descriptor)
	defer unix.Close(descriptor)
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	entries := []entry{}
	for _, name := range names {
		kind := 2
		var stat unix.Stat_t
		if utf8.ValidString(name) && unix.Fstatat(descriptor, name, &stat, unix.AT_SYMLINK_NOFOLLOW) == nil {
			switch stat.Mode & unix.S_IFMT {
			case unix.S_IFDIR:
				kind = 1
			case unix.S_IFLNK:
			default:
				kind = 0
			}
		}
		entries = append(entries, entry{strings.ToValidUTF8(name, "\ufffd"), kind})
	}
	return entries, nil
}

// namesOf reads a directory from its beginning, with a descriptor of its own.
func namesOf(descriptor int) ([]string, error) {
	own, err := openBelow(descriptor, ".")
	if err != nil {
		return nil, err
	}
	directory := os.NewFile(uintptr(own), ".")
	defer directory.Close()
	return directory.Readdirnames(-1)
}

// inherit gives a new file or directory the owner of the directory it is in.
func inherit(made, parent int) error {
	var owner unix.Stat_t
	if err := retry(func() error { return unix.Fstat(parent, &owner) }); err != nil {
		return err
	}
	return give(made, &owner)
}

// give gives a new file or directory another owner. A process that may not give files away keeps it.
func give(made int, owner *unix.Stat_t) error {
	var own unix.Stat_t
	if err := retry(func() error { return unix.Fstat(made, &own) }); err != nil || own.Uid == owner.Uid {
		return err
	}
	err := retry(func() error { return unix.Fchown(made, int(owner.Uid), int(owner.Gid)) })
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

// wide is the mode if it has bits that are not allowed, otherwise 0.
func wide(stat *unix.Stat_t, allowed uint32) uint32 {
	mode := uint32(stat.Mode) & 0o7777
	if mode&^allowed != 0 {
		return mode
	}
	return 0
}
