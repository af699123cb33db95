//go:build !pulsetrust_cgo

package engine

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
)

// The counter of calls wraps, and passes the largest int of the 32-bit machines.
func TestPickOverTheCountersEnds(t *testing.T) {
	size := Size()
	for _, start := range []uint32{math.MaxInt32 - 2, math.MaxUint32 - 2} {
		next.Store(start)
		for range 6 {
			if index := Pick(); index < 0 || index >= size {
				t.Errorf("after %d: instance %d of %d", start, index, size)
			}
		}
	}
}

// Arguments that are too large were called a bug, as the module had no memory for a second copy of them: the instance was
// given up with all that lived in it. Above 4 GiB, a length was cut.
func TestArgumentsThatAreTooLarge(t *testing.T) {
	in, err := newInstance(0)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := IdentityGenerate(in)
	if err != nil {
		t.Fatal(err)
	}
	lengths := []uint64{maxArguments + 1, 80 << 20, 1<<31 + 1, 1<<32 + 8}
	if strconv.IntSize == 32 {
		lengths = lengths[:2]
	}
	for _, length := range lengths {
		var fault *Fault
		if _, _, err := ChannelAccept(identity, make([]byte, length)); !errors.As(err, &fault) || fault.Code != CodeInvalidArgument {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
	var fault *Fault
	half := strings.Repeat("x", maxArguments/2+1)
	if _, err := TenantHost(in, half, half); !errors.As(err, &fault) || fault.Code != CodeInvalidArgument {
		t.Errorf("two arguments that are too large together: %v", err)
	}
	if _, err := IdentityFingerprint(identity); err != nil {
		t.Errorf("the instance works no more: %v", err)
	}
}

// The memory grows by moving, and what it leaves behind has the secrets of before.
func TestMemoryThatTheModuleHasLeftIsWiped(t *testing.T) {
	in, err := newInstance(0)
	if err != nil {
		t.Fatal(err)
	}
	secret := bytes.Repeat([]byte{0x5e}, 32) // a test key
	identity, err := IdentityFromPrivateKey(in, base64.StdEncoding.EncodeToString(secret))
	if err != nil {
		t.Fatal(err)
	}
	left := *in.memory
	if !bytes.Contains(left, secret) {
		t.Fatal("the test looks where no secret is")
	}
	if _, _, err := ChannelAccept(identity, make([]byte, 8<<20)); err == nil {
		t.Fatal("8 MiB are a key exchange")
	}
	if &left[0] == &(*in.memory)[0] {
		t.Fatal("the memory has not moved")
	}
	if bytes.ContainsFunc(left, func(character rune) bool { return character != 0 }) {
		t.Error("the memory that was left is not wiped")
	}
	if _, err := IdentityFingerprint(identity); err != nil {
		t.Errorf("the instance works no more: %v", err)
	}
}
