package pulsetrust

import (
	"encoding/json"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A Diagnostic says what is wrong with a pairing or a connection, and what to do.
type Diagnostic struct {
	Code     string  `json:"code"`
	Severity string  `json:"severity"` // "error" or "warning"
	Message  string  `json:"message"`
	Field    string  `json:"field,omitempty"`
	Expected *string `json:"expected,omitempty"`
	Received *string `json:"received,omitempty"`
}

// Pairing is what a runtime offers to a phone. All of it holds the auth token, which is a secret.
type Pairing struct {
	Payload     json.RawMessage `json:"payload"`      // secret
	DeepLink    string          `json:"deep_link"`    // secret
	CompactCode string          `json:"compact_code"` // secret; what a QR code shows
	Diagnostics []Diagnostic    `json:"diagnostics"`  // warnings
}

// BuildPairing builds the pairing code of a runtime from the relay config in effect, the instance id of the last ACK, the
// token that the phone will present, and the instance's own URL (may be empty). If there can be no code yet, the error is
// [ErrPairingNotReady], and its Diagnostics say why.
func BuildPairing(config *RelayConfig, instanceID, authToken, instanceURL string) (pairing Pairing, err error) {
	if config == nil {
		return pairing, errNotMade
	}
	in, err := anyInstance()
	if err != nil {
		return pairing, err
	}
	text, err := marshal(config)
	if err != nil {
		return pairing, err
	}
	bytes, err := engine.PairingBuild(in, string(text), instanceID, authToken, instanceURL)
	if err != nil {
		return pairing, wrap(err)
	}
	return pairing, json.Unmarshal(bytes, &pairing)
}

// A PairingCode is a scanned code that passed every check.
type PairingCode struct {
	InstanceID          string  `json:"instance_id"`
	RelayURL            string  `json:"relay_url"`
	AuthToken           string  `json:"auth_token"`           // secret
	IdentityPublicKey   *string `json:"identity_public_key"`  // nil in codes of runtimes without an identity
	IdentityFingerprint *string `json:"identity_fingerprint"` // computed from the key
	InstanceURL         *string `json:"instance_url"`
	Name                *string `json:"name"`
}

// ParsePairingCode reads and checks a scanned text: a deep link, the compact code, or the JSON form.
func ParsePairingCode(scanned string) (code PairingCode, err error) {
	in, err := anyInstance()
	if err != nil {
		return code, err
	}
	ref, err := engine.PairingCodeParse(in, scanned)
	if err != nil {
		return code, wrap(err)
	}
	defer engine.PairingCodeFree(ref)
	bytes, err := engine.PairingCodeSecretJSON(ref)
	if err != nil {
		return code, wrap(err)
	}
	return code, json.Unmarshal(bytes, &code)
}

// A ConnectionCheck compares what a phone presents with what the runtime knows.
type ConnectionCheck struct {
	RelayEnabled  bool    `json:"relay_enabled"`
	ServerURL     string  `json:"server_url"`
	OwnInstanceID *string `json:"own_instance_id"` // nil: not registered
	InstanceID    string  `json:"instance_id"`
	RelayURL      string  `json:"relay_url"`
	AuthToken     string  `json:"auth_token"` // secret
	TokenKnown    bool    `json:"token_known"`
}

// Run returns every diagnostic, or none if everything is right.
func (c ConnectionCheck) Run() (diagnostics []Diagnostic, err error) {
	in, err := anyInstance()
	if err != nil {
		return nil, err
	}
	text, err := marshal(c)
	if err != nil {
		return nil, err
	}
	bytes, err := engine.ConnectionCheck(in, string(text))
	if err != nil {
		return nil, wrap(err)
	}
	return diagnostics, json.Unmarshal(bytes, &diagnostics)
}

// RelayURLForApp is the URL that an app connects to, derived from the one that the instance is configured with.
func RelayURLForApp(url string) (string, error) {
	return onAny(func(in *engine.Instance) ([]byte, error) { return engine.RelayURLForApp(in, url) })
}

// QRSVG draws a text as a QR code: an SVG image.
func QRSVG(text string) (string, error) {
	return onAny(func(in *engine.Instance) ([]byte, error) { return engine.QRSVG(in, text) })
}

// QRTerminal draws a text as a QR code for a terminal with a dark background.
func QRTerminal(text string) (string, error) {
	return onAny(func(in *engine.Instance) ([]byte, error) { return engine.QRTerminal(in, text) })
}
