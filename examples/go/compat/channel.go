package compat

import (
	"errors"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// GenerateIdentityKeyPair is internal/relay.GenerateIdentityKeyPair.
func GenerateIdentityKeyPair() (privateKeyB64, publicKeyB64, fingerprint string, err error) {
	identity, err := pulsetrust.GenerateIdentity()
	if err != nil {
		return "", "", "", err
	}
	defer identity.Close()
	if privateKeyB64, err = identity.SecretPrivateKey(); err != nil {
		return "", "", "", err
	}
	if publicKeyB64, err = identity.PublicKey(); err != nil {
		return "", "", "", err
	}
	fingerprint, err = identity.Fingerprint()
	return privateKeyB64, publicKeyB64, fingerprint, err
}

// ComputeFingerprint is internal/relay.ComputeFingerprint: what people compare.
func ComputeFingerprint(publicKeyB64 string) (string, error) {
	names, err := pulsetrust.DescribePublicKey(publicKeyB64)
	return names.Fingerprint, err
}

// SignKeyExchange is internal/relay.SignKeyExchange. [AcceptKeyExchange] needs no call of it.
func SignKeyExchange(ephemeralPub []byte, identityPrivateKeyB64 string) ([]byte, error) {
	if len(ephemeralPub) != 32 {
		return nil, &pulsetrust.Error{Code: pulsetrust.ErrKeyExchangeMalformed, Message: "an X25519 key has 32 bytes"}
	}
	identity, err := pulsetrust.IdentityFromPrivateKey(identityPrivateKeyB64)
	if err != nil {
		return nil, contextOf("decode private key", err)
	}
	defer identity.Close()
	signature, err := identity.SignKeyExchange([32]byte(ephemeralPub))
	return signature[:], err
}

// VerifyKeyExchangeSignature is internal/relay.VerifyKeyExchangeSignature. A phone's [pulsetrust.Handshake] needs no call
// of it.
func VerifyKeyExchangeSignature(ephemeralPub, signature []byte, identityPublicKeyB64 string) error {
	// Finish makes the same check on the instance's message; the channel of this handshake is thrown away.
	handshake, err := pulsetrust.StartHandshake()
	if err != nil {
		return err
	}
	defer handshake.Close()
	message := append([]byte{byte(len(ephemeralPub))}, ephemeralPub...)
	channel, err := handshake.Finish(append(message, signature...), identityPublicKeyB64)
	if err != nil {
		return sentinel(err, ErrKeyExchangeSigCheck)
	}
	channel.Close()
	return nil
}

// ChannelEncryption is internal/relay.ChannelEncryption.
type ChannelEncryption struct{ channel *pulsetrust.Channel }

// AcceptKeyExchange is the instance's side of internal/relay's key exchange: it takes the payload of the app's
// KEY_EXCHANGE frame, and gives the channel and the payload to answer with, signed.
func AcceptKeyExchange(payload []byte, identityPrivateKeyB64 string) (channel *ChannelEncryption, answer []byte, err error) {
	identity, err := pulsetrust.IdentityFromPrivateKey(identityPrivateKeyB64)
	if err != nil {
		return nil, nil, err
	}
	defer identity.Close()
	made, answer, err := pulsetrust.AcceptKeyExchange(identity, payload)
	if err != nil {
		return nil, nil, sentinel(err, ErrKeyExchangeTooShort)
	}
	return &ChannelEncryption{made}, answer, nil
}

// Encrypt seals the payload of a DATA frame.
//
// Sealing and sending are one critical section: the caller holds one lock from before Encrypt until the frame is in the
// connection's queue, and the queue keeps its order. The counter is taken here, so a message that is sent after one that
// was sealed later is a replay for the other side, and lost. Goroutines that each seal and then send lose some of a burst.
// [pulsetrust.Session] seals as it writes, and so keeps the order by itself.
func (c *ChannelEncryption) Encrypt(plaintext []byte) ([]byte, error) {
	sealed, err := c.channel.Seal(plaintext)
	return sealed, sentinel(err, ErrNonceOverflow)
}

// Decrypt opens the payload of a DATA frame. A message that is refused changes nothing. One that is sent again is
// [ErrNonceReplay].
func (c *ChannelEncryption) Decrypt(data []byte) ([]byte, error) {
	if len(data) < nonceAndTag {
		return nil, ErrCiphertextTooShort
	}
	opened, err := c.channel.Open(data)
	if errors.Is(err, pulsetrust.ErrMessageForged) {
		err = contextOf("gcm open", err)
	}
	return opened, sentinel(err, ErrNonceReplay)
}

// nonceAndTag is how long the shortest message is.
const nonceAndTag = 12 + 16

// Close wipes the keys. The runtime has none today; the garbage collector does it too, later.
func (c *ChannelEncryption) Close() { c.channel.Close() }
