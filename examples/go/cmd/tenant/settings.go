package main

import (
	"crypto/rand"
	"strings"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// settings are what a tenant container gets from its environment.
type settings struct {
	runtime     pulsetrust.RuntimeConfig
	leaseKeys   string
	licenseKeys string
	authToken   string // secret
	refreshURL  string // empty: the lease is not refreshed
}

func settingsFrom(environment func(string) string) settings {
	hosted := false
	switch strings.ToLower(strings.TrimSpace(environment("PULSE_HOSTED_MODE"))) {
	case "1", "true", "yes", "y", "on":
		hosted = true
	}
	token := environment("PULSE_TENANT_AUTH_TOKEN")
	if token == "" {
		token = rand.Text()
	}
	return settings{
		runtime: pulsetrust.RuntimeConfig{
			Hosted:       hosted,
			PublicURL:    environment("PULSE_PUBLIC_URL"),
			RelayEnabled: environment("PULSE_RELAY_ENABLED"),
			RelayServer:  environment("PULSE_RELAY_SERVER"),
		},
		leaseKeys:   environment("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY"),
		licenseKeys: environment("PULSE_LICENSE_PUBLIC_KEY"),
		authToken:   token,
		refreshURL:  environment("PULSE_TENANT_REFRESH_URL"),
	}
}
