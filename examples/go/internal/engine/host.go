//go:build !pulsetrust_cgo

package engine

import (
	"context"
	"crypto/rand"
	"encoding/json"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// What a host function answers; lengths and handles are 0 or more (src/ffi/wasm.rs).
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

type instanceKey struct{}

func withInstance(in *Instance) context.Context {
	return context.WithValue(background, instanceKey{}, in)
}

// exportHost gives the module what only the host has, random bytes and files, and what the host computes faster.
func exportHost(engine wazero.Runtime) error {
	host := engine.NewHostModuleBuilder("pulse_host")
	export := func(name string, function any) {
		host.NewFunctionBuilder().WithFunc(function).Export(name)
	}
	text := func(m api.Module, place, length uint32) string {
		bytes, _ := m.Memory().Read(place, length)
		return string(bytes)
	}
	files := func(ctx context.Context) *hostFiles { return &ctx.Value(instanceKey{}).(*Instance).files }

	export("random", func(_ context.Context, m api.Module, out, length uint32) int32 {
		bytes, ok := m.Memory().Read(out, length)
		if !ok {
			return answerFailed
		}
		rand.Read(bytes) // never fails: https://pkg.go.dev/crypto/rand#Read
		return answerDone
	})
	export("lock", func(ctx context.Context, m api.Module, path, pathLen, outReadOnly uint32) int32 {
		handle, readOnly := files(ctx).lock(text(m, path, pathLen))
		if readOnly {
			m.Memory().WriteUint32Le(outReadOnly, 1)
		}
		return handle
	})
	export("open_read_only", func(ctx context.Context, m api.Module, path, pathLen uint32) int32 {
		return files(ctx).openReadOnly(text(m, path, pathLen))
	})
	export("unlock", func(ctx context.Context, directory int32) { files(ctx).unlock(directory) })
	export("file_read", func(ctx context.Context, m api.Module, directory int32, name, nameLen uint32, limit uint64, outMode uint32) int32 {
		answer, mode := files(ctx).read(directory, text(m, name, nameLen), limit)
		m.Memory().WriteUint32Le(outMode, mode)
		return answer
	})
	export("file_list", func(ctx context.Context, m api.Module, directory int32, name, nameLen uint32) int32 {
		entries, answer := files(ctx).list(directory, text(m, name, nameLen))
		if answer != answerDone {
			return answer
		}
		bytes, err := json.Marshal(entries)
		if err != nil {
			return answerFailed
		}
		return files(ctx).leave(bytes)
	})
	export("file_write", func(ctx context.Context, m api.Module, directory int32, name, nameLen, data, length uint32, create int32) int32 {
		bytes, ok := m.Memory().Read(data, length)
		if !ok {
			return answerFailed
		}
		return files(ctx).write(directory, text(m, name, nameLen), bytes, create != 0)
	})
	export("directory_make", func(ctx context.Context, m api.Module, directory int32, name, nameLen uint32) int32 {
		return files(ctx).makeDirectory(directory, text(m, name, nameLen))
	})
	export("directory_mode", func(ctx context.Context, directory int32) uint32 {
		return files(ctx).wideDirectoryMode(directory)
	})
	export("take", func(ctx context.Context, m api.Module, out, length uint32) {
		m.Memory().Write(out, files(ctx).left[:min(int(length), len(files(ctx).left))])
		wipe(files(ctx).left)
		files(ctx).left = nil
	})
	export("failure", func(ctx context.Context) int32 {
		return files(ctx).leave([]byte(files(ctx).failure))
	})
	exportCrypto(host)
	_, err := host.Instantiate(background)
	return err
}
