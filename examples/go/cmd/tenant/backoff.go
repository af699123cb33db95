package main

import (
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = 500 * time.Millisecond
	backoffMost  = time.Minute
)

// backoff is how long to wait before the next connection: doubling, half of it at random, so that the instances of a
// relay that was restarted do not come back all at once.
type backoff struct{ failures int }

// after counts a connection that has ended. One that held for a minute was no failure: a shorter one may be refused
// right after its ACK again and again.
func (b *backoff) after(held time.Duration) time.Duration {
	if held >= backoffMost {
		b.failures = 0
	}
	ceiling := min(backoffMost, backoffFirst<<min(b.failures, 16))
	b.failures++
	return ceiling/2 + rand.N(ceiling/2)
}
