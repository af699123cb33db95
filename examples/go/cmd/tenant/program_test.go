package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is the tenant's program too, where this says so.
const asProgram = "TENANT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A program is a tenant that runs as a child process.
type program struct {
	process *exec.Cmd
	input   io.WriteCloser
	lines   chan event
}

func startProgram(t *testing.T, environment []string, arguments ...string) *program {
	t.Helper()
	process := exec.Command(os.Args[0], arguments...)
	process.Env = append(append(withoutPulse(os.Environ()), asProgram+"=1"), environment...)
	process.Stderr = t.Output()
	input, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{process, input, make(chan event, 1000)}
	t.Cleanup(func() { _ = process.Process.Kill() })
	go func() {
		defer close(p.lines)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var line event
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				line = event{"event": "not JSON", "line": lines.Text()}
			}
			p.lines <- line
		}
	}()
	return p
}

// await gives the next event of a kind and skips those before.
func (p *program) await(t *testing.T, kind string) event {
	t.Helper()
	var skipped []string
	timeout := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("the tenant ended before %q; it said %v", kind, skipped)
			}
			if line["event"] == kind {
				return line
			}
			skipped = append(skipped, fmt.Sprint(line))
		case <-timeout:
			t.Fatalf("no event %q within 30 s, only %v", kind, skipped)
		}
	}
}

func (p *program) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(p.input, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// stop sends SIGTERM, which is to end the program cleanly and soon.
func (p *program) stop(t *testing.T) {
	t.Helper()
	startedAt := time.Now()
	if err := p.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.await(t, "stopped")
	if err := p.process.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if took := time.Since(startedAt); took > 5*time.Second {
		t.Errorf("SIGTERM took %v", took)
	}
}

// provisioned starts a fresh tenant and gives the event with its keys.
func startProvisioned(t *testing.T) (*program, event) {
	t.Helper()
	p := startProgram(t, nil, "--provision", "--data-dir", t.TempDir())
	return p, p.await(t, "provisioned")
}

func text(line event, member string) string {
	value, _ := line[member].(string)
	return strings.TrimSpace(value)
}
