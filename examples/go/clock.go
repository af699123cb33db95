package pulsetrust

import "time"

var errNoTime = &Error{Code: ErrInvalidArgument, Message: "the time is the zero time.Time, at which nothing has expired: expected a time such as time.Now()"}

// secondsOf is a moment as the library takes it. The zero time is a member that was not set, and every expired credential
// would count then.
func secondsOf(now time.Time) (int64, error) {
	if now.IsZero() {
		return 0, errNoTime
	}
	return now.Unix(), nil
}
