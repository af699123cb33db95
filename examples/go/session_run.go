package pulsetrust

import (
	"context"
	"encoding/json"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// An arrival is what a connection's goroutines report.
type arrival struct {
	what       int32
	connection uint32
	data       []byte
	conn       *sessionConn
	mistake    error // a bug of the program, which ends Run
}

const (
	sessionWriteTimeout = 10 * time.Second
	// How long the last messages may take after the context has ended.
	sessionEndTimeout = time.Second
	closeGoingAway    = 1001 // RFC 6455, section 7.4.1
	// The longest message that the protocol has. Of a longer one the session is given one byte more, which it refuses.
	longestMessage = engine.FrameHeaderLen + engine.MaxPayloadLen
)

var (
	errNothingDialed = &Error{Code: ErrInvalidArgument, Message: "dial returned neither a connection nor an error: expected one of them"}
	errRunWithout    = &Error{Code: ErrInvalidArgument, Message: "Run needs a context, a dial and a handle that are not nil"}
	errRunsAlready   = &Error{Code: ErrInvalidArgument, Message: "another Run drives this session: expected one at a time"}
)

// Run drives the session until the context ends, which is not an error, or the session is closed, which is one. It passes
// events to handle in order. handle must not wait: what takes time belongs in a goroutine of its own. dial opens a
// WebSocket connection. It must not follow redirects, because a credential is sent there.
//
// Once the context has ended, the session may take a second for its last messages. Then the connection is closed, so a
// connection that ignores its context cannot keep Run from returning. A session has one Run at a time; another one is
// refused.
//
// A panic in handle leaves Run as a panic: the connection is closed, and if the program recovers, another Run connects
// again. What the session had to tell besides comes then. dial, and what it returns, runs in goroutines of Run's own, so a
// panic there ends the program.
func (s *Session) Run(
	ctx context.Context, dial func(context.Context, string) (Conn, error), handle func(SessionEvent),
) error {
	if s == nil || s.handle == nil {
		return errNotMade
	}
	if ctx == nil || dial == nil || handle == nil {
		return errRunWithout
	}
	if !s.isRun.CompareAndSwap(false, true) {
		return errRunsAlready
	}
	defer s.isRun.Store(false)
	r := &sessionRun{session: s, dial: dial, handle: handle, arrivals: make(chan arrival)}
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r.working = working
	defer r.leave()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(sessionEndTimeout, cancel) })()
	go func() {
		select {
		case <-s.closed:
			cancel()
		case <-working.Done():
		}
	}()
	if err := s.feed(engine.FeedStart, 0, nil); err != nil {
		return err
	}
	for {
		if err := r.obey(); err != nil {
			return err
		}
		deadline, err := s.untilDeadline()
		if err != nil {
			return err
		}
		select {
		case came := <-r.arrivals:
			if came.mistake != nil {
				return came.mistake
			}
			if came.conn != nil {
				r.adopt(came.connection, came.conn)
			}
			err = s.feed(came.what, came.connection, came.data)
		case <-deadline:
			err = s.feed(engine.FeedTimeout, 0, nil)
		case <-s.wake:
		case <-s.closed:
			return errClosed
		case <-ctx.Done():
			if err := s.feed(engine.FeedStop, 0, nil); err != nil {
				return err
			}
			err := r.obey()
			r.isOver = err == nil
			return err
		}
		if err != nil {
			return err
		}
	}
}

// untilDeadline returns a channel on which nothing ever arrives if nothing is due.
func (s *Session) untilDeadline() (<-chan time.Time, error) {
	var deadline int64
	err := s.held().use(func(ref engine.Ref) error {
		deadline = engine.SessionDeadline(ref)
		return nil
	})
	if err != nil || deadline < 0 {
		return nil, err
	}
	return time.After(time.Duration(deadline-s.monotonic()) * time.Millisecond), nil
}

// A sessionConn is closed once, by whoever first has a reason, and nobody waits for that.
type sessionConn struct {
	Conn
	closed atomic.Bool
}

func (c *sessionConn) end(code int, then func()) {
	if c.closed.Swap(true) {
		then()
		return
	}
	go func() {
		_ = c.Close(code) // it may be gone already
		then()
	}()
}

// A sessionRun is the loop around a session: its connection, and what its goroutines report.
type sessionRun struct {
	session  *Session
	dial     func(context.Context, string) (Conn, error)
	handle   func(SessionEvent)
	working  context.Context
	arrivals chan arrival
	current  uint32
	conn     *sessionConn
	stop     context.CancelFunc // of the current connection, or of the one that is being opened
	isOver   bool               // the session has said all that it had to say
}

// leave tells the session that its connection ends with Run, where something else than its context ended Run: the next Run
// would wait for that connection.
func (r *sessionRun) leave() {
	if !r.isOver && r.current != 0 {
		_ = r.session.feed(engine.FeedDisconnected, r.current, nil) // it may be closed
	}
}

// obey does what the session wants until it wants nothing more.
func (r *sessionRun) obey() error {
	for {
		var do, connection uint32
		var data []byte
		err := r.session.held().useAlone(func(ref engine.Ref) (err error) {
			do, connection, data, err = engine.SessionPoll(ref)
			return err
		})
		if err != nil {
			return err
		}
		switch do {
		case engine.DoNothing:
			return nil
		case engine.DoConnect:
			r.connect(connection, string(data))
		case engine.DoSend:
			if err := r.send(connection, data); err != nil {
				if err := r.session.feed(engine.FeedDisconnected, connection, nil); err != nil {
					return err
				}
			}
		case engine.DoDisconnect:
			r.disconnect(connection, data)
		case engine.DoEvent:
			var event SessionEvent
			if err := json.Unmarshal(data, &event); err != nil {
				return err
			}
			clear(data)
			r.handle(event)
		}
	}
}

func (r *sessionRun) report(ctx context.Context, came arrival) {
	select {
	case r.arrivals <- came:
	case <-ctx.Done():
	}
}

func (r *sessionRun) connect(connection uint32, url string) {
	ctx, cancel := context.WithCancel(r.working)
	r.current, r.conn, r.stop = connection, nil, cancel
	go func() {
		defer cancel()
		dialed, err := r.dial(ctx, url)
		if err != nil {
			r.report(ctx, arrival{what: engine.FeedDisconnected, connection: connection})
			return
		}
		if dialed == nil {
			r.report(ctx, arrival{mistake: errNothingDialed})
			return
		}
		conn := &sessionConn{Conn: dialed}
		context.AfterFunc(ctx, func() { conn.end(closeGoingAway, func() {}) })
		r.report(ctx, arrival{what: engine.FeedConnected, connection: connection, conn: conn})
		for {
			data, err := conn.Read(ctx)
			if err != nil {
				r.report(ctx, arrival{what: engine.FeedDisconnected, connection: connection})
				return
			}
			data = data[:min(len(data), longestMessage+1)]
			r.report(ctx, arrival{what: engine.FeedMessage, connection: connection, data: data})
		}
	}()
}

func (r *sessionRun) adopt(connection uint32, conn *sessionConn) {
	if connection == r.current {
		r.conn = conn
		return
	}
	conn.end(1000, func() {})
}

// send waits for a Write no longer than its context lasts, even if Write itself takes longer.
func (r *sessionRun) send(connection uint32, message []byte) (err error) {
	conn := r.conn
	if connection != r.current || conn == nil {
		return nil // of a connection that is over
	}
	ctx, cancel := context.WithTimeout(r.working, sessionWriteTimeout)
	defer cancel()
	written := make(chan error, 1)
	go func() { written <- conn.Write(ctx, message) }()
	select {
	case err = <-written:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		r.conn = nil
		r.stop()
	}
	return err
}

func (r *sessionRun) disconnect(connection uint32, code []byte) {
	if connection != r.current {
		return
	}
	conn, stop := r.conn, r.stop
	r.conn = nil
	number, _ := strconv.Atoi(string(code)) // the library writes it
	if conn == nil {
		stop()
		return
	}
	conn.end(number, stop)
}
