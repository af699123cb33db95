package pulsetrust

import (
	"errors"

	"github.com/rcourtman/pulse-trust/examples/go/internal/checkedjson"
)

// marshal writes what the library is given as JSON. A text that is not UTF-8 is refused, as the library refuses it, because
// encoding/json would write another one.
func marshal(value any) ([]byte, error) {
	text, err := checkedjson.Marshal(value)
	var refused *Error
	var other *checkedjson.NotUTF8
	switch {
	case errors.As(err, &refused): // a config within the value
		return nil, refused
	case errors.As(err, &other):
		return nil, &Error{Code: ErrInvalidArgument, Message: other.Error()}
	}
	return text, err
}
