package compat

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/internal/checkedjson"
)

// membersOf is the JSON object that a value is written as. Nil is not one: it would be saved as an empty file.
func membersOf(value any) (map[string]json.RawMessage, error) {
	members, err := convert[map[string]json.RawMessage](value)
	if err != nil {
		return nil, err
	}
	if *members == nil {
		return nil, refused("the state or config is nil: expected one to save")
	}
	return *members, nil
}

// marshal writes JSON. A text that is not UTF-8 is refused, because encoding/json would write another one.
func marshal(value any) ([]byte, error) {
	text, err := checkedjson.Marshal(value)
	var own *pulsetrust.Error
	var other *checkedjson.NotUTF8
	switch {
	case errors.As(err, &own):
		return nil, own
	case errors.As(err, &other):
		return nil, refused(other.Error())
	}
	return text, err
}

func refused(message string) error {
	return &pulsetrust.Error{Code: pulsetrust.ErrInvalidArgument, Message: message}
}

// drop deletes the members of stored that a value of this type may have: those that the value does not write are empty.
// Known is for a type whose members cannot be told, such as a map.
func drop(stored map[string]json.RawMessage, of reflect.Type, known []string) {
	names := known
	for of != nil && of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	marshaler := reflect.TypeFor[json.Marshaler]()
	if of != nil && of.Kind() == reflect.Struct && !of.Implements(marshaler) && !reflect.PointerTo(of).Implements(marshaler) {
		names = memberNames(of, 0)
	}
	for _, name := range names {
		delete(stored, name)
	}
}

// embeddedAtMost bounds structs that embed a pointer to themselves.
const embeddedAtMost = 8

// memberNames are the names that encoding/json writes the members of a struct under.
func memberNames(of reflect.Type, depth int) (names []string) {
	for index := range of.NumField() {
		field := of.Field(index)
		tag := field.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case tag == "-":
		case field.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			if depth < embeddedAtMost {
				names = append(names, memberNames(inner, depth+1)...)
			}
		case !field.IsExported():
		case name == "":
			names = append(names, field.Name)
		default:
			names = append(names, name)
		}
	}
	return names
}
