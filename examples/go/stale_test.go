package pulsetrust

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// A test of the default engine also fails where the engine was made of other sources. The script says whether it was.
func TestMain(m *testing.M) {
	status := m.Run()
	if status != 0 && Engine == "wasm" {
		if said, err := exec.Command("../wasm.sh", "--check-sources").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "the engine may be what failed: %s", said)
		}
	}
	os.Exit(status)
}
