// Command tenant is a hosted tenant's runtime as far as the relay goes: it bootstraps from a data directory, registers,
// offers a pairing code, and answers /api/status through channels that the relay cannot read. It is configured as a
// tenant container is, by environment variables; what happens is on stdout, one JSON object a line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = `usage: tenant --data-dir DIR [--relay-url URL] [--provision]

  --data-dir DIR   the tenant's directory, with the billing.json of its control plane
  --relay-url URL  the relay, over PULSE_RELAY_SERVER and what relay.enc says
  --provision      for tests: make throw-away keys and a tenant in DIR, which is empty or not there yet, print the
                   public keys, and wait for a line on stdin: the relay's URL, or "go" where it is named elsewhere

environment: PULSE_HOSTED_MODE PULSE_PUBLIC_URL PULSE_TRIAL_ACTIVATION_PUBLIC_KEY PULSE_LICENSE_PUBLIC_KEY
  PULSE_RELAY_ENABLED PULSE_RELAY_SERVER, as a tenant container has them;
  PULSE_TENANT_AUTH_TOKEN: what phones present (else random, new at each start);
  PULSE_TENANT_REFRESH_URL: where the lease is refreshed, as https://.../api/entitlements/refresh (else it is not)
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	events := newEvents(os.Stdout)
	err := run(ctx, os.Args[1:], os.Stdin, events)
	switch {
	case err == nil:
		events.write(event{"event": "stopped"})
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
	default:
		events.failed(err)
		os.Exit(1)
	}
}

// run serves until the context ends; that is not an error.
func run(ctx context.Context, arguments []string, input io.Reader, events *events) error {
	flags := flag.NewFlagSet("tenant", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dataDir := flags.String("data-dir", "", "")
	relayURL := flags.String("relay-url", "", "")
	provisioning := flags.Bool("provision", false, "")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *dataDir == "" || flags.NArg() > 0 {
		return errors.New("--data-dir is required, and there are no other arguments: see --help")
	}
	settings := settingsFrom(os.Getenv)
	if *provisioning {
		provisioned, err := provision(*dataDir, time.Now())
		if err != nil {
			return fmt.Errorf("provision: %w", err)
		}
		settings.adopt(provisioned)
		events.write(provisioned.event())
		line, err := nextLine(ctx, input)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if line != "go" {
			settings.runtime.RelayServer = line
		}
	}
	if *relayURL != "" {
		settings.runtime.RelayServer = *relayURL
	}
	if *provisioning && settings.runtime.RelayServer == "" {
		// A throw-away tenant has no business at the default relay.
		return errors.New("--provision needs a relay: its URL on stdin, --relay-url or PULSE_RELAY_SERVER")
	}
	tenant, err := start(*dataDir, settings, events)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer tenant.close()
	return tenant.serve(ctx)
}
