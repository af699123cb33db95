//go:build !pulsetrust_cgo && unix && !linux

package engine

import "golang.org/x/sys/unix"

func renameNoReplace(int, string, string) error { return unix.ENOSYS }
