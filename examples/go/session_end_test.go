package pulsetrust

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// A deafConn ignores its contexts. Only Close ends its calls, or nothing does.
type deafConn struct {
	isWriting chan struct{} // is closed by the first Write, where there is one
	released  chan struct{}
	ignores   bool // Close too
	closes    chan int
	once      sync.Once
}

func newDeafConn(t *testing.T, ignores bool) *deafConn {
	c := &deafConn{isWriting: make(chan struct{}), released: make(chan struct{}), ignores: ignores, closes: make(chan int, 10)}
	t.Cleanup(func() { c.once.Do(func() { close(c.released) }) })
	return c
}

func (c *deafConn) Read(context.Context) ([]byte, error) {
	<-c.released
	return nil, errors.New("closed")
}

func (c *deafConn) Write(context.Context, []byte) error {
	close(c.isWriting)
	<-c.released
	return errors.New("closed")
}

func (c *deafConn) Close(code int) error {
	c.closes <- code
	if !c.ignores {
		c.once.Do(func() { close(c.released) })
	}
	return nil
}

func testInstance(t *testing.T) *Session {
	t.Helper()
	identity, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(identity.Close)
	settings := InstanceSettings{ServerURL: "wss://relay.example.test/ws/instance", Credential: "lease", InstanceSecret: "secret"}
	session, err := NewInstanceSession(settings, identity, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	return session
}

// running starts Run, and gives what it returns.
func running(ctx context.Context, session *Session, dial func(context.Context, string) (Conn, error)) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- session.Run(ctx, dial, func(SessionEvent) {}) }()
	return ended
}

func arrives[T any](t *testing.T, from <-chan T, what string) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(20 * time.Second):
		t.Fatal("this does not happen: " + what)
	}
	return value
}

// isClosedOnce waits for a Close, after which there is no other one.
func (c *deafConn) isClosedOnce(t *testing.T) {
	t.Helper()
	arrives(t, c.closes, "the connection is closed")
	if len(c.closes) != 0 {
		t.Errorf("it was closed %d times more", len(c.closes))
	}
}

func TestRunEndsWithItsContextWhileAWriteHangs(t *testing.T) {
	for name, ignores := range map[string]bool{"until it is closed": false, "for good": true} {
		t.Run(name, func(t *testing.T) {
			session, conn := testInstance(t), newDeafConn(t, ignores)
			ctx, cancel := context.WithCancel(t.Context())
			ended := running(ctx, session, func(context.Context, string) (Conn, error) { return conn, nil })
			arrives(t, conn.isWriting, "REGISTER is written")
			cancel()
			if err := arrives(t, ended, "Run returns"); err != nil {
				t.Error(err)
			}
			conn.isClosedOnce(t)
		})
	}
}

// A second Run took the events of the first in silence, and waited for ever.
func TestOneRunAtATime(t *testing.T) {
	session, conn := testInstance(t), newDeafConn(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	dial := func(context.Context, string) (Conn, error) { return conn, nil }
	ended := running(ctx, session, dial)
	arrives(t, conn.isWriting, "REGISTER is written")
	if err := arrives(t, running(ctx, session, dial), "a second Run returns"); !isCode(err, ErrInvalidArgument) {
		t.Error(err)
	}
	cancel()
	if err := arrives(t, ended, "the first Run returns"); err != nil {
		t.Error(err)
	}
	again, stop := context.WithCancel(t.Context())
	stop()
	noNetwork := func(context.Context, string) (Conn, error) { return nil, errors.New("no network") }
	if err := arrives(t, running(again, session, noNetwork), "a Run after the first returns"); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsRun(t *testing.T) {
	t.Run("while a write hangs", func(t *testing.T) {
		session, conn := testInstance(t), newDeafConn(t, true)
		ended := running(t.Context(), session, func(context.Context, string) (Conn, error) { return conn, nil })
		arrives(t, conn.isWriting, "REGISTER is written")
		session.Close()
		if err := arrives(t, ended, "Run returns"); !isCode(err, ErrInvalidArgument) {
			t.Error(err)
		}
		conn.isClosedOnce(t)
	})
	t.Run("while it dials", func(t *testing.T) {
		session, conn := testInstance(t), newDeafConn(t, false)
		dials, mayDial := make(chan struct{}), make(chan struct{})
		ended := running(t.Context(), session, func(context.Context, string) (Conn, error) {
			close(dials)
			<-mayDial
			return conn, nil
		})
		arrives(t, dials, "it dials")
		session.Close()
		if err := arrives(t, ended, "Run returns"); !isCode(err, ErrInvalidArgument) {
			t.Error(err)
		}
		close(mayDial)
		conn.isClosedOnce(t) // though nobody needs it any more
	})
}

// A connection that fails was left open.
func TestAConnectionThatFailsIsClosed(t *testing.T) {
	session, relay := testInstance(t), &pipes{read: make(chan []byte)}
	closes := make(chan int, 10)
	close(relay.read)
	ctx, cancel := context.WithCancel(t.Context())
	ended := running(ctx, session, func(context.Context, string) (Conn, error) { return closeNoted{relay, closes}, nil })
	arrives(t, closes, "the connection is closed")
	cancel()
	if err := arrives(t, ended, "Run returns"); err != nil {
		t.Error(err)
	}
}

type closeNoted struct {
	*pipes
	closes chan int
}

func (c closeNoted) Close(code int) error {
	c.closes <- code
	return nil
}

func TestRunRefusesWhatItCannotWorkWith(t *testing.T) {
	dialsNothing := func(context.Context, string) (Conn, error) { return nil, nil }
	if err := arrives(t, running(t.Context(), testInstance(t), dialsNothing), "Run returns"); err != errNothingDialed {
		t.Error(err)
	}
	if err := arrives(t, running(t.Context(), testInstance(t), nil), "Run returns"); err != errRunWithout {
		t.Error(err)
	}
}
