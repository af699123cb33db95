package pulsetrust

import "fmt"

// Values that hold a secret print without it, whatever the verb: printed values end up in logs.

// Format prints what is not secret.
func (r Register) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "Register{ClientVersion:%q IdentityPubKey:%q}", r.ClientVersion, r.IdentityPubKey)
}

// Format prints what is not secret.
func (r RegisterAck) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "RegisterAck{InstanceID:%q ExpiresAt:%d}", r.InstanceID, r.ExpiresAt)
}

// Format prints what is not secret.
func (c Connect) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "Connect{InstanceID:%q Platform:%q}", c.InstanceID, c.Platform)
}

// Format prints what is not secret.
func (c ChannelOpen) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "ChannelOpen{ChannelID:%d}", c.ChannelID)
}

// Format prints what is not secret.
func (c RelayConfig) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "RelayConfig{Enabled:%t ServerURL:%q IdentityFingerprint:%q}", c.Enabled, c.ServerURL, c.IdentityFingerprint)
}

// Format prints what is not secret.
func (c Credential) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "Credential{Offered:%q Suspended:%t}", c.Offered, c.Suspended)
}

// Format prints what is not secret.
func (p Pairing) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "Pairing{Diagnostics:%v}", p.Diagnostics)
}

// Format prints what is not secret.
func (c PairingCode) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "PairingCode{InstanceID:%q RelayURL:%q}", c.InstanceID, c.RelayURL)
}

// Format prints what is not secret.
func (c ConnectionCheck) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "ConnectionCheck{InstanceID:%q RelayURL:%q TokenKnown:%t}", c.InstanceID, c.RelayURL, c.TokenKnown)
}
