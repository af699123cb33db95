package pulsetrust_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A refusedToken is a file of tests/vectors/refused, which say themselves what they are.
type refusedToken struct {
	Token string `json:"token"`
	Keys  struct {
		Lease   string `json:"lease"`
		License string `json:"license"`
	} `json:"keys"`
	Now        int64  `json:"now"`
	Host       string `json:"host"`
	Org        string `json:"org"`
	Leeway     int64  `json:"leeway"`
	Capability string `json:"capability"`
	Error      string `json:"error"`
}

// outcome is the name of the refusal; empty where there is none.
func (c refusedToken) outcome(t testing.TB, keys *pulsetrust.TrustKeys) string {
	now := time.Unix(c.Now, 0)
	checks := checksFor(c.Host)
	checks.Org, checks.Leeway = c.Org, time.Duration(c.Leeway)*time.Second
	token, err := pulsetrust.VerifyToken(keys, c.Token, checks, now)
	if err == nil {
		defer token.Close()
		if c.Capability != "" {
			err = token.Check(c.Capability, now)
		}
	}
	if err == nil {
		return ""
	}
	var refusal *pulsetrust.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("%T: %v", err, err)
	}
	return refusal.Code.Name()
}

func TestRefusedTokens(t *testing.T) {
	files, err := filepath.Glob("../../tests/vectors/refused/*/*.json")
	if err != nil || len(files) < 1000 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	// Keys are made once for each pair of settings: most cases have the same.
	made := map[[2]string]*pulsetrust.TrustKeys{}
	for _, file := range files {
		name := filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c refusedToken
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			settings := [2]string{c.Keys.Lease, c.Keys.License}
			if made[settings] == nil {
				made[settings] = must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(c.Keys.Lease, c.Keys.License))
			}
			if got := c.outcome(t, made[settings]); got != c.Error {
				t.Errorf("%q, expected %q", got, c.Error)
			}
		})
	}
}
