package pulsetrust

import "github.com/rcourtman/pulse-trust/examples/go/internal/engine"

// An Identity is the key pair by which a phone recognizes an instance. It signs inside the library.
type Identity struct{ handle *handle }

// GenerateIdentity makes a new identity.
func GenerateIdentity() (*Identity, error) {
	made, err := ownOnAny(engine.IdentityFree, func(in *engine.Instance) (engine.Ref, error) { return engine.IdentityGenerate(in) })
	if err != nil {
		return nil, err
	}
	return &Identity{made}, nil
}

// IdentityFromPrivateKey makes an identity from a private key in base64, as a relay config has it.
func IdentityFromPrivateKey(privateKey string) (*Identity, error) {
	made, err := ownOnAny(engine.IdentityFree, func(in *engine.Instance) (engine.Ref, error) { return engine.IdentityFromPrivateKey(in, privateKey) })
	if err != nil {
		return nil, err
	}
	return &Identity{made}, nil
}

// PublicKey is what a pairing code carries: standard base64.
func (i *Identity) PublicKey() (string, error) { return i.text(engine.IdentityPublicKey) }

// Fingerprint is what people compare: 32 upper-case hex pairs joined by ':'.
func (i *Identity) Fingerprint() (string, error) { return i.text(engine.IdentityFingerprint) }

// SecretPrivateKey is the private key in base64, to be stored in a relay config, which is sealed.
func (i *Identity) SecretPrivateKey() (string, error) { return i.text(engine.IdentitySecretPrivateKey) }

// SignKeyExchange signs an ephemeral X25519 key.
func (i *Identity) SignKeyExchange(ephemeral [32]byte) (signature [64]byte, err error) {
	err = i.held().use(func(ref engine.Ref) error {
		bytes, err := engine.IdentitySignKeyExchange(ref, ephemeral[:])
		copy(signature[:], bytes)
		return err
	})
	return signature, err
}

// Close wipes the identity.
func (i *Identity) Close() {
	i.held().close()
}

func (i *Identity) text(get func(engine.Ref) ([]byte, error)) (text string, err error) {
	err = i.held().use(func(ref engine.Ref) error {
		bytes, err := get(ref)
		text = string(bytes)
		return err
	})
	return text, err
}

// A Handshake is the app's side of a key exchange, between its message and the instance's.
type Handshake struct{ handle *handle }

// StartHandshake makes an ephemeral key.
func StartHandshake() (*Handshake, error) {
	made, err := ownOnAny(engine.HandshakeFree, func(in *engine.Instance) (engine.Ref, error) { return engine.HandshakeStart(in) })
	if err != nil {
		return nil, err
	}
	return &Handshake{made}, nil
}

// Message is the payload of the app's KEY_EXCHANGE frame.
func (h *Handshake) Message() (message []byte, err error) {
	err = h.held().use(func(ref engine.Ref) error {
		message, err = engine.HandshakeMessage(ref)
		return err
	})
	return message, err
}

// Finish takes the payload of the instance's KEY_EXCHANGE frame. It returns a channel only if the identity of the pairing
// code signed the payload. A handshake can be finished once.
func (h *Handshake) Finish(instanceMessage []byte, identityPublicKey string) (channel *Channel, err error) {
	err = h.held().useAlone(func(ref engine.Ref) error {
		made, err := own(ref.Instance(), engine.ChannelFree, func() (engine.Ref, error) {
			return engine.HandshakeFinish(ref, instanceMessage, identityPublicKey)
		})
		if err == nil {
			channel = &Channel{made}
		}
		return err
	})
	return channel, err
}

// Close wipes the handshake.
func (h *Handshake) Close() {
	h.held().close()
}

// A Channel is one side of an established channel.
type Channel struct{ handle *handle }

// AcceptKeyExchange is the instance's side: it takes the payload of the app's KEY_EXCHANGE frame, and returns the channel
// and the payload to answer with.
func AcceptKeyExchange(identity *Identity, appMessage []byte) (channel *Channel, answer []byte, err error) {
	if identity == nil {
		return nil, nil, errNotMade
	}
	err = identity.held().use(func(ref engine.Ref) error {
		made, err := own(ref.Instance(), engine.ChannelFree, func() (made engine.Ref, err error) {
			made, answer, err = engine.ChannelAccept(ref, appMessage)
			return made, err
		})
		if err == nil {
			channel = &Channel{made}
		}
		return err
	})
	return channel, answer, err
}

// Seal seals a message and returns the payload of a DATA frame, or [ErrFrameTooLarge] for one that no frame has room for.
func (c *Channel) Seal(plaintext []byte) (sealed []byte, err error) {
	if err := checkFrame(FrameData, len(plaintext)+engine.SealedOverhead); err != nil {
		return nil, err
	}
	err = c.held().useAlone(func(ref engine.Ref) error {
		sealed, err = engine.ChannelSeal(ref, plaintext)
		return err
	})
	return sealed, err
}

// Open opens the payload of a DATA frame. A message that is refused changes nothing.
func (c *Channel) Open(sealed []byte) (plaintext []byte, err error) {
	err = c.held().useAlone(func(ref engine.Ref) error {
		plaintext, err = engine.ChannelOpen(ref, sealed)
		return err
	})
	return plaintext, err
}

// Close wipes the channel.
func (c *Channel) Close() {
	c.held().close()
}
