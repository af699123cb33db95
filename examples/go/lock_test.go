//go:build unix

package pulsetrust_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// The engine does not wait itself, so its message said 0 ms.
func TestALockTimeoutSaysHowLongWasWaited(t *testing.T) {
	path := t.TempDir()
	holder := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
	defer holder.Close()
	if err := holder.Lock(0); err != nil {
		t.Fatal(err)
	}
	other := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
	defer other.Close()
	for timeout, expected := range map[time.Duration]string{
		30 * time.Millisecond: " after 30 ms: use `fuser ", 0: " after 0 ms: use `fuser", -time.Second: " after 0 ms: use `fuser",
	} {
		if err := other.Lock(timeout); !errors.Is(err, pulsetrust.ErrLockTimeout) || !strings.Contains(err.Error(), expected) {
			t.Errorf("%s: %v", timeout, err)
		}
	}
}
