//go:build !pulsetrust_cgo

package engine

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tetratelabs/wazero"
)

// A program is a module that was compiled, and the engine that runs it.
type program struct {
	engine wazero.Runtime
	module wazero.CompiledModule
}

// compile compiles the module, with the cache in a directory where one is named. A cache only saves time, so whatever is
// wrong with it, notCached says, and the module is compiled nevertheless.
func compile(wasm []byte, directory string) (made program, notCached, err error) {
	if directory != "" {
		if made, notCached = compileCached(wasm, directory); made.module != nil {
			return made, notCached, nil
		}
	}
	made, err = newProgram(runtimeConfig())
	if err != nil {
		return program{}, notCached, err
	}
	made.module, err = made.engine.CompileModule(background, wasm)
	return made, notCached, err
}

// The module has no debug information that could be looked for.
func runtimeConfig() wazero.RuntimeConfig {
	return wazero.NewRuntimeConfig().WithDebugInfoEnabled(false)
}

func newProgram(config wazero.RuntimeConfig) (program, error) {
	made := program{engine: wazero.NewRuntimeWithConfig(background, config)}
	return made, exportHost(made.engine)
}

// compileCached gives the module together with an error where it was compiled, but not kept.
func compileCached(wasm []byte, directory string) (program, error) {
	// A folder of its own for each module: what is in it is ours to remove.
	own := filepath.Join(directory, fmt.Sprintf("pulse-trust-%.8x", sha256.Sum256(wasm)))
	if err := removeDamaged(own); err != nil {
		return program{}, err
	}
	cache, err := wazero.NewCompilationCacheWithDir(own)
	if err != nil {
		return program{}, err
	}
	made, err := newProgram(runtimeConfig().WithCompilationCache(cache))
	if err != nil {
		return program{}, err
	}
	made.module, err = made.engine.CompileModule(background, wasm)
	if err == nil {
		return made, sealEntries(own)
	}
	// Where it could not be written, wazero has compiled it all the same, and finds it in its memory.
	var again error
	if made.module, again = made.engine.CompileModule(background, wasm); again == nil {
		return made, err
	}
	made.engine.Close(background)
	cache.Close(background)
	return program{}, err
}

// wazero checks only a part of what it reads from its cache, and executes it. So each entry has a file beside it with the
// SHA-256 of the whole. That is against damage; it cannot be against somebody who may write there.
const sumSuffix = ".sha256"

// removeDamaged removes the entries that are not as they were written, so that they are compiled again.
func removeDamaged(own string) error {
	for _, entry := range entriesIn(own) {
		sum, err := sumOf(entry)
		if err == nil && bytes.Equal(sum, keptSum(entry)) {
			continue
		}
		for _, name := range []string{entry + sumSuffix, entry} {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("a damaged entry of the compilation cache cannot be removed: %w", err)
			}
		}
	}
	return nil
}

// sealEntries writes the sums of new entries.
func sealEntries(own string) error {
	for _, entry := range entriesIn(own) {
		if _, err := os.Lstat(entry + sumSuffix); err == nil {
			continue
		}
		sum, err := sumOf(entry)
		if err == nil {
			err = os.WriteFile(entry+sumSuffix, sum, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entriesIn are the files that wazero keeps: each is named by a SHA-256.
func entriesIn(own string) (entries []string) {
	names, _ := fs.Glob(os.DirFS(own), "wazero-*/"+strings.Repeat("[0-9a-f]", 2*sha256.Size)) // the pattern is right
	for _, name := range names {
		entries = append(entries, filepath.Join(own, filepath.FromSlash(name)))
	}
	return entries
}

func sumOf(path string) ([]byte, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%x\n", hash.Sum(nil)), nil
}

// keptSum is the sum beside an entry, or nothing.
func keptSum(entry string) []byte {
	file, err := openRegular(entry + sumSuffix)
	if err != nil {
		return nil
	}
	defer file.Close()
	sum, err := io.ReadAll(io.LimitReader(file, 2*sha256.Size+2))
	if err != nil {
		return nil
	}
	return sum
}

// openRegular opens no pipe, which would be waited for.
func openRegular(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return os.Open(path)
}
