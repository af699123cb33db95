package pulsetrust

import (
	"fmt"
	"log/slog"
)

// Values that hold a secret print without it, whatever the verb, and slog writes them as they print: both end up in logs.
// This cannot cover the verb %p; a value in an unexported member of another struct, which package fmt prints by reflection;
// and a value's JSON, which is the same value for another program, secrets included, and which slog's JSON handler writes of
// a struct that contains one.

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

// Format prints what is not secret.
func (r BootstrapReport) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "BootstrapReport{Outcome:%q Reason:%v Credential:%v Warnings:%q}", r.Outcome, r.Reason, r.Credential, r.Warnings)
}

// Format prints what is not secret.
func (s InstanceSettings) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "InstanceSettings{ServerURL:%q ClientVersion:%q}", s.ServerURL, s.ClientVersion)
}

// Format prints what is not secret.
func (s RefreshSettings) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "RefreshSettings{OrgID:%q InstanceHost:%q ExpiresAt:%d}", s.OrgID, s.InstanceHost, s.ExpiresAt)
}

// Format prints what is not secret.
func (s PhoneSettings) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "PhoneSettings{Platform:%q}", s.Platform)
}

// Format prints what is not secret.
func (e SessionEvent) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "SessionEvent{Event:%q InstanceID:%q Channel:%d End:%q Reason:%q Message:%q Advice:%q Error:%s Status:%d}",
		e.Event, e.InstanceID, e.Channel, e.End, e.Reason, e.Message, e.Advice, e.Error, e.Status)
}

// Format prints what is not secret.
func (r ProxyRequest) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "ProxyRequest{ID:%q Method:%q Body:%d bytes}", r.ID, r.Method, len(r.Body))
}

// Format prints what is not secret.
func (r ProxyResponse) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "ProxyResponse{ID:%q Status:%d Body:%d bytes Stream:%t StreamDone:%t}",
		r.ID, r.Status, len(r.Body), r.Stream, r.StreamDone)
}

// Format prints what is not secret.
func (f Frame) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "Frame{Type:0x%02x Channel:%d Payload:%d bytes}", uint8(f.Type), f.Channel, len(f.Payload))
}

// LogValue is what prints.
func (r Register) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// LogValue is what prints.
func (r RegisterAck) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// LogValue is what prints.
func (c Connect) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// LogValue is what prints.
func (c ChannelOpen) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// LogValue is what prints.
func (r RelayConfig) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// LogValue is what prints.
func (c Credential) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// LogValue is what prints.
func (b BootstrapReport) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(b)) }

// LogValue is what prints.
func (p Pairing) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// LogValue is what prints.
func (p PairingCode) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// LogValue is what prints.
func (c ConnectionCheck) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// LogValue is what prints.
func (i InstanceSettings) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(i)) }

// LogValue is what prints.
func (r RefreshSettings) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// LogValue is what prints.
func (p PhoneSettings) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// LogValue is what prints.
func (s SessionEvent) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }

// LogValue is what prints.
func (p ProxyRequest) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// LogValue is what prints.
func (p ProxyResponse) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// LogValue is what prints.
func (f Frame) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(f)) }
