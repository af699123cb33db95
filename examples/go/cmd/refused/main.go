// Command refused says which of the tokens in tests/vectors/refused golang-jwt accepts, which verifies leases in the deployed
// runtime: a line "golang-jwt" first, then "golang-jwt GROUP/NAME" for each. golang-jwt is configured as strictly as it allows.
// What no JWT library decides is left out: hosts, kinds, provider chains, capabilities.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

type refused struct {
	Kind  string `json:"kind"`
	Token string `json:"token"`
	Keys  struct {
		Lease   string `json:"lease"`
		License string `json:"license"`
	} `json:"keys"`
	Now    int64  `json:"now"`
	Leeway int64  `json:"leeway"`
	Error  string `json:"error"`
}

type leaseClaims struct {
	OrgID             string           `json:"org_id"`
	Email             string           `json:"email"`
	InstanceHost      string           `json:"instance_host"`
	PlanVersion       string           `json:"plan_version"`
	SubscriptionState string           `json:"subscription_state"`
	Capabilities      []string         `json:"capabilities"`
	Limits            map[string]int64 `json:"limits"`
	MetersEnabled     []string         `json:"meters_enabled"`
	TrialEndsAt       *int64           `json:"trial_ends_at"`
	ProviderLicense   string           `json:"provider_license"`
	jwt.RegisteredClaims
}

type licenseClaims struct {
	LicenseID         string           `json:"lid"`
	Email             string           `json:"email"`
	Tier              string           `json:"tier"`
	PeriodEnd         *int64           `json:"license_period_end"`
	Features          []string         `json:"features"`
	Capabilities      []string         `json:"capabilities"`
	Limits            map[string]int64 `json:"limits"`
	MaxUsers          int64            `json:"max_users"`
	SubscriptionState string           `json:"subscription_state"`
	SigningKey        string           `json:"entitlement_signing_public_key"`
	jwt.RegisteredClaims
}

type grantClaims struct {
	LicenseID      string   `json:"lid"`
	InstallationID string   `json:"iid"`
	LicenseVersion int64    `json:"lv"`
	State          string   `json:"st"`
	Tier           string   `json:"tier"`
	Features       []string `json:"feat"`
	PeriodEnd      *int64   `json:"current_period_end"`
	GraceUntil     *int64   `json:"grace_until"`
	jwt.RegisteredClaims
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: refused tests/vectors/refused")
	}
	files, err := filepath.Glob(filepath.Join(os.Args[1], "*", "*.json"))
	if err != nil || len(files) < 1000 {
		log.Fatalf("%d files: %v", len(files), err)
	}
	fmt.Println("golang-jwt")
	for _, file := range files {
		group := filepath.Base(filepath.Dir(file))
		if slices.Contains([]string{"host", "kind", "chain", "capability"}, group) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		var asked refused
		if err := json.Unmarshal(text, &asked); err != nil {
			log.Fatal(err)
		}
		// More leeway than pulse-trust allows is not the token's fault.
		if asked.Error != "LEEWAY_TOO_LARGE" && asked.accepted() {
			fmt.Printf("golang-jwt %s/%s\n", group, strings.TrimSuffix(filepath.Base(file), ".json"))
		}
	}
}

func (r refused) accepted() bool {
	options := []jwt.ParserOption{
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithStrictDecoding(), jwt.WithLeeway(time.Duration(r.Leeway) * time.Second),
		jwt.WithTimeFunc(func() time.Time { return time.Unix(r.Now, 0) }),
	}
	var claims jwt.Claims = &licenseClaims{}
	setting := r.Keys.License
	switch r.Kind {
	case "lease":
		claims, setting = &leaseClaims{}, r.Keys.Lease
		options = append(options, jwt.WithExpirationRequired(), jwt.WithIssuer("pulse-pro-entitlement-lease"),
			jwt.WithAudience("pulse-pro-entitlement-cache"))
	case "grant":
		claims = &grantClaims{}
		options = append(options, jwt.WithExpirationRequired(), jwt.WithAudience("pulse-runtime"))
	}
	_, err := jwt.NewParser(options...).ParseWithClaims(r.Token, claims, func(token *jwt.Token) (any, error) {
		return keysOf(setting, token.Header["kid"])
	})
	return err == nil
}

// keysOf are the keys of a setting, or the one that a token names.
func keysOf(setting string, kid any) (keys jwt.VerificationKeySet, err error) {
	for text := range strings.SplitSeq(setting, ",") {
		public, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(public) != ed25519.PublicKeySize {
			return keys, errors.New("no key")
		}
		hash := sha256.Sum256(public)
		if kid == nil || kid == hex.EncodeToString(hash[:])[:16] {
			keys.Keys = append(keys.Keys, ed25519.PublicKey(public))
		}
	}
	return keys, nil
}
