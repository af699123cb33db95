package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"sync"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// Bounds on what phones, and the relay, can make a tenant hold.
const (
	maxChannels        = 64 // the relay's own limit for an instance
	maxWaitingFrames   = 8  // of a channel
	maxRequestID       = 256
	keyExchangeTimeout = 15 * time.Second
)

// channels are those of one connection.
type channels struct {
	ctx     context.Context
	session *session
	mutex   sync.Mutex
	open    map[uint32]*channel
	running sync.WaitGroup
}

// A channel is one phone's conversation. Its frames are taken one after the other: the order of sealing is the order of
// sending.
type channel struct {
	id      uint32
	waiting chan pulsetrust.Frame
	ctx     context.Context
	cancel  context.CancelFunc
}

func newChannels(ctx context.Context, session *session) *channels {
	return &channels{ctx: ctx, session: session, open: map[uint32]*channel{}}
}

// offer accepts a channel by sending CHANNEL_OPEN back, or refuses it. An error is one of the connection.
func (c *channels) offer(frame pulsetrust.Frame) error {
	var open pulsetrust.ChannelOpen
	if err := pulsetrust.DecodeControl(frame, &open); err != nil {
		return c.refuse(frame.Channel, err.Error())
	}
	if frame.Channel == 0 || open.ChannelID != frame.Channel {
		return c.refuse(frame.Channel, misplaced("CHANNEL_OPEN on another channel than it names").Error())
	}
	if subtle.ConstantTimeCompare([]byte(open.AuthToken), []byte(c.session.tenant.settings.authToken)) != 1 {
		return c.refuse(frame.Channel, "invalid token")
	}
	made := c.add(frame.Channel)
	if made == nil {
		return c.refuse(frame.Channel, "too many channels, or this one is open")
	}
	bytes, err := pulsetrust.EncodeControl(frame.Channel, open)
	if err == nil {
		err = c.session.send(bytes)
	}
	if err != nil {
		c.end(frame.Channel)
		return err
	}
	c.running.Go(func() { c.run(made) })
	return nil
}

func (c *channels) add(id uint32) *channel {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.open) >= maxChannels || c.open[id] != nil {
		return nil
	}
	made := &channel{id: id, waiting: make(chan pulsetrust.Frame, maxWaitingFrames)}
	made.ctx, made.cancel = context.WithCancel(c.ctx)
	c.open[id] = made
	return made
}

// deliver hands a frame to its channel and never waits for it.
func (c *channels) deliver(frame pulsetrust.Frame) error {
	c.mutex.Lock()
	to := c.open[frame.Channel]
	c.mutex.Unlock()
	if to == nil {
		return c.refuse(frame.Channel, misplaced("no such channel").Error())
	}
	select {
	case to.waiting <- frame:
		return nil
	default:
		c.end(frame.Channel)
		return c.refuse(frame.Channel, "too many requests wait")
	}
}

// end ends a channel that the other side closed.
func (c *channels) end(id uint32) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if ended := c.open[id]; ended != nil {
		ended.cancel()
		delete(c.open, id)
	}
}

// closeAll ends every channel and waits until their keys are wiped.
func (c *channels) closeAll() {
	c.mutex.Lock()
	for id, ended := range c.open {
		ended.cancel()
		delete(c.open, id)
	}
	c.mutex.Unlock()
	c.running.Wait()
}

func (c *channels) refuse(id uint32, reason string) error {
	c.session.tenant.events.write(event{"event": "channel_closed", "channel": id, "reason": reason})
	bytes, err := pulsetrust.EncodeControl(id, pulsetrust.ChannelClose{ChannelID: id, Reason: reason})
	if err != nil {
		return err
	}
	return c.session.send(bytes)
}

func (c *channels) run(on *channel) {
	err := c.converse(on)
	if on.ctx.Err() != nil {
		return // closed from outside: there is nobody to tell
	}
	c.end(on.id)
	_ = c.refuse(on.id, err.Error()) // the reader hears of a connection that is gone
}

// converse is a channel's life: key exchange, then requests. It ends with an error.
func (c *channels) converse(on *channel) error {
	hello, err := on.first()
	if err != nil {
		return err
	}
	if hello.Type != pulsetrust.FrameKeyExchange {
		return misplaced("DATA on a channel without key exchange")
	}
	keys, message, err := pulsetrust.AcceptKeyExchange(c.session.tenant.identity, hello.Payload)
	if err != nil {
		return err
	}
	defer keys.Close()
	answered := pulsetrust.Frame{Type: pulsetrust.FrameKeyExchange, Channel: on.id, Payload: message}
	if err := c.session.sendFrame(answered); err != nil {
		return err
	}
	c.session.tenant.events.write(event{"event": "channel_established", "channel": on.id})
	for {
		frame, err := on.next(on.ctx)
		if err != nil {
			return err
		}
		if frame.Type != pulsetrust.FrameData {
			return misplaced("a second key exchange on a channel")
		}
		if err := c.respond(on, keys, frame.Payload); err != nil {
			return err
		}
	}
}

// respond answers one sealed request.
func (c *channels) respond(on *channel, keys *pulsetrust.Channel, sealed []byte) error {
	request, err := keys.OpenRequest(sealed)
	if err != nil {
		return err
	}
	if len(request.ID) > maxRequestID {
		return &pulsetrust.Error{Code: pulsetrust.ErrControlPayload, Message: "the id of a request is over 256 bytes"}
	}
	payload, err := keys.SealResponse(answer(on.ctx, c.session.tenant.api, request))
	if err != nil {
		return err
	}
	return c.session.sendFrame(pulsetrust.Frame{Type: pulsetrust.FrameData, Channel: on.id, Payload: payload})
}

func (c *channel) first() (pulsetrust.Frame, error) {
	ctx, cancel := context.WithTimeout(c.ctx, keyExchangeTimeout)
	defer cancel()
	frame, err := c.next(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return frame, misplaced("no key exchange within 15 s")
	}
	return frame, err
}

func (c *channel) next(ctx context.Context) (pulsetrust.Frame, error) {
	select {
	case frame := <-c.waiting:
		return frame, nil
	case <-ctx.Done():
		return pulsetrust.Frame{}, ctx.Err()
	}
}

func misplaced(message string) error {
	return &pulsetrust.Error{Code: pulsetrust.ErrFrameChannel, Message: message}
}
