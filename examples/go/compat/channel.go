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

// SignKeyExchange is internal/relay.SignKeyExchange. A caller of [AcceptKeyExchange] does not need it.
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

// VerifyKeyExchangeSignature is internal/relay.VerifyKeyExchangeSignature. A phone with a [pulsetrust.Handshake] does not
// need it.
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

// AcceptKeyExchange is the instance's side of internal/relay's key exchange: it takes the payload of the app's KEY_EXCHANGE
// frame, and returns the channel and the signed payload to answer with.
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
// Sealing and sending must be one critical section: hold one lock from before Encrypt until the frame is in the
// connection's queue, which must keep its order. Encrypt assigns the counter, so a message that arrives after one that was
// sealed later is a replay to the other side, and lost. Goroutines that each seal and then send lose some messages of a
// burst. [pulsetrust.Session] seals as it writes, so it keeps the order by itself.
func (c *ChannelEncryption) Encrypt(plaintext []byte) ([]byte, error) {
	sealed, err := c.inner().Seal(plaintext)
	return sealed, sentinel(err, ErrNonceOverflow, ErrPayloadTooLarge)
}

// Decrypt opens the payload of a DATA frame. A message that is refused changes nothing. A repeated message fails with
// [ErrNonceReplay].
func (c *ChannelEncryption) Decrypt(data []byte) ([]byte, error) {
	if len(data) < nonceAndTag {
		return nil, ErrCiphertextTooShort
	}
	opened, err := c.inner().Open(data)
	if errors.Is(err, pulsetrust.ErrMessageForged) {
		err = contextOf("gcm open", err)
	}
	return opened, sentinel(err, ErrNonceReplay)
}

// nonceAndTag is the length of the shortest message.
const nonceAndTag = 12 + 16

// Close wipes the keys. The runtime has no such function today; the garbage collector wipes them too, later.
func (c *ChannelEncryption) Close() { c.inner().Close() }

// inner is nil for nil too, and refuses every call then.
func (c *ChannelEncryption) inner() *pulsetrust.Channel {
	if c == nil {
		return nil
	}
	return c.channel
}
