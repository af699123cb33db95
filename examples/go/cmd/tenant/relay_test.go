package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A relay is target/release/pulse-relay as a child process.
type relay struct {
	process *exec.Cmd
	address string
}

func (r *relay) url() string { return "ws://" + r.address + "/ws/instance" }

// startRelay starts a relay that takes leases under a key, at an address ("127.0.0.1:0": any free port).
func startRelay(t *testing.T, leaseKey, dataDir, address string) *relay {
	t.Helper()
	program, err := filepath.Abs("../../../../target/release/pulse-relay")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: build the relay with `cargo build --release -p pulse-relay`", err)
	}
	process := exec.Command(program)
	process.Env = append(withoutPulse(os.Environ()), "PULSE_RELAY_ADDR="+address, "PULSE_RELAY_DATA_DIR="+dataDir)
	if leaseKey != "" {
		process.Env = append(process.Env, "PULSE_TRIAL_ACTIVATION_PUBLIC_KEY="+leaseKey)
	}
	process.Stderr = t.Output()
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	started := &relay{process: process}
	t.Cleanup(started.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	listening, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the relay says %q, %v", line, err)
	}
	started.address = listening
	return started
}

// kill ends the relay without letting it say goodbye.
func (r *relay) kill() {
	_ = r.process.Process.Kill()
	_ = r.process.Wait()
}

// withoutPulse is an environment without settings of the one who runs the tests.
func withoutPulse(environment []string) (rest []string) {
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "PULSE_") {
			rest = append(rest, variable)
		}
	}
	return rest
}
