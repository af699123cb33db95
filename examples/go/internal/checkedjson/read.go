package checkedjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// A Malformed says what is wrong with JSON, without quoting it.
type Malformed struct{ Reason string }

func (e *Malformed) Error() string { return e.Reason }

// Read reads one JSON object into the struct that a pointer points to, which it replaces. Names are compared as they are. A
// member that the struct does not have is ignored, null counts as absent, and a member that occurs twice is refused.
func Read(text []byte, into any) error {
	if !utf8.Valid(text) {
		return &Malformed{"not one JSON object: it is not UTF-8"}
	}
	target := reflect.ValueOf(into).Elem()
	read := reflect.New(target.Type()).Elem()
	if err := readStruct(text, read); err != nil {
		return err
	}
	target.Set(read)
	return nil
}

func readStruct(text []byte, into reflect.Value) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	malformed := func() error {
		return &Malformed{fmt.Sprintf("not one JSON object, at byte %d", decoder.InputOffset())}
	}
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return malformed()
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		if err != nil || !isName {
			return malformed()
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return malformed()
		}
		member := memberOf(into, name)
		if !member.IsValid() {
			continue
		}
		if seen[name] {
			return &Malformed{fmt.Sprintf("a member occurs twice, at byte %d", decoder.InputOffset())}
		}
		seen[name] = true
		if readMember(value, member) != nil {
			return &Malformed{fmt.Sprintf("a member of the wrong type, at byte %d", decoder.InputOffset())}
		}
	}
	if _, err := decoder.Token(); err != nil {
		return malformed()
	}
	if _, err := decoder.Token(); err != io.EOF {
		return malformed()
	}
	return nil
}

func readMember(text []byte, member reflect.Value) error {
	if string(text) == "null" {
		return nil
	}
	inner := member
	if member.Kind() == reflect.Pointer {
		inner = reflect.New(member.Type().Elem()).Elem()
	}
	var err error
	if inner.Kind() == reflect.Struct {
		err = readStruct(text, inner)
	} else {
		err = json.Unmarshal(text, inner.Addr().Interface())
	}
	if err == nil && member.Kind() == reflect.Pointer {
		member.Set(inner.Addr())
	}
	return err
}

// memberOf is the member that a struct has under a name.
func memberOf(of reflect.Value, name string) reflect.Value {
	for index := range of.NumField() {
		if own, _, _ := strings.Cut(of.Type().Field(index).Tag.Get("json"), ","); own == name && name != "" {
			return of.Field(index)
		}
	}
	return reflect.Value{}
}
