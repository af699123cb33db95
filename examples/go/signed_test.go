package pulsetrust_test

import (
	"crypto/ed25519"
	"encoding/base64"
)

// signedByHand is a token of any header and payload, which the library would not sign, under the key of a seed in base64.
func signedByHand(seed, header, payload string) string {
	bytes, err := base64.StdEncoding.DecodeString(seed)
	if err != nil {
		panic(err)
	}
	segment := base64.RawURLEncoding.EncodeToString
	signed := segment([]byte(header)) + "." + segment([]byte(payload))
	return signed + "." + segment(ed25519.Sign(ed25519.NewKeyFromSeed(bytes), []byte(signed)))
}
