package compat

import (
	"errors"
	"fmt"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// The errors that the deployed packages name, with the same texts. Functions of this package return exactly these values,
// so == works as well as errors.Is. errors.Is with the library's own code finds them too, and any error of the library with
// the same code matches them.
var (
	ErrNonceReplay          = named(pulsetrust.ErrMessageReplayed, "nonce replay or out-of-order: expected higher nonce")
	ErrCiphertextTooShort   = named(pulsetrust.ErrMessageMalformed, "ciphertext too short: need at least nonce + tag")
	ErrNonceOverflow        = named(pulsetrust.ErrChannelExhausted, "nonce counter overflow")
	ErrKeyExchangeTooShort  = named(pulsetrust.ErrKeyExchangeMalformed, "key exchange payload too short")
	ErrKeyExchangeSigCheck  = named(pulsetrust.ErrKeyExchangeSignature, "key exchange signature verification failed")
	ErrFrameTooShort        = named(pulsetrust.ErrFrameTooShort, "frame too short: need at least 6 bytes")
	ErrUnsupportedVersion   = named(pulsetrust.ErrFrameVersion, "unsupported protocol version")
	ErrUnknownFrameType     = named(pulsetrust.ErrFrameType, "unknown frame type")
	ErrPayloadTooLarge      = named(pulsetrust.ErrFrameTooLarge, "payload exceeds maximum size")
	ErrHostMismatch         = named(pulsetrust.ErrHostMismatch, "trial activation token host mismatch")
	ErrLeaseOrgIDMissing    = named(pulsetrust.ErrOrgMissing, "entitlement lease org_id is required")
	ErrLeaseInstanceMissing = named(pulsetrust.ErrHostMissing, "entitlement lease instance host is required")
	ErrLeasePrivateKey      = named(pulsetrust.ErrKeyEncoding, "invalid entitlement lease private key")
)

func named(code pulsetrust.Code, words string) *pulsetrust.Error {
	return &pulsetrust.Error{Code: code, Message: words}
}

// sentinel is the one of these errors that err matches, or err itself if it matches none.
func sentinel(err error, among ...*pulsetrust.Error) error {
	var refused *pulsetrust.Error
	if !errors.As(err, &refused) {
		return err
	}
	for _, one := range among {
		if one.Code == refused.Code {
			return one
		}
	}
	return err
}

// contextOf puts the deployed prefix, which says what failed, before an error; nil stays nil.
func contextOf(words string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", words, err)
}
