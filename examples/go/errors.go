package pulsetrust

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A Code is the stable number of an error. It is an error itself, for errors.Is.
type Code int32

// Error returns the name of the code, such as "SIGNATURE_INVALID".
func (c Code) Error() string { return c.Name() }

// Name is the stable name of the code.
func (c Code) Name() string { return codeName(c) }

// An Error says why the library refused something. It contains no secret.
type Error struct {
	Code     Code
	Message  string
	WireCode string // what a relay's ERROR frame says for it, if there is one

	detail string
}

func (e *Error) Error() string {
	if e == nil {
		return "no error"
	}
	return fmt.Sprintf("%s (%d %s)", e.Message, int32(e.Code), e.Code.Name())
}

// Is compares the code, so errors.Is(err, pulsetrust.ErrExpired) works, and so does errors.Is with any other *Error of the
// same code.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	if other, ok := target.(*Error); ok {
		return other != nil && other.Code == e.Code
	}
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Diagnostics says what keeps a pairing code from being built, for an [ErrPairingNotReady].
func (e *Error) Diagnostics() []Diagnostic {
	var diagnostics []Diagnostic
	if e == nil || e.detail == "" || json.Unmarshal([]byte(e.detail), &diagnostics) != nil {
		return nil
	}
	return diagnostics
}

// wrap makes an *Error from what an engine returned.
func wrap(err error) error {
	var fault *engine.Fault
	if errors.As(err, &fault) {
		return &Error{Code(fault.Code), fault.Message, fault.WireCode, fault.Detail}
	}
	return err
}
