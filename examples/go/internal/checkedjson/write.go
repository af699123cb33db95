// Package checkedjson writes and reads JSON without the liberties of encoding/json, which replaces bytes that are not UTF-8,
// and on reading folds the case of names, takes the last of two members and keeps what a value held before.
package checkedjson

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// A NotUTF8 says which text is not UTF-8.
type NotUTF8 struct{ Place string }

func (e *NotUTF8) Error() string {
	return fmt.Sprintf("%s: expected UTF-8, received other bytes", e.Place)
}

// Marshal is json.Marshal for a value whose texts all are UTF-8. Types that write their own JSON check it themselves.
func Marshal(value any) ([]byte, error) {
	text, err := json.Marshal(value) // first, because it refuses values that contain themselves
	if err != nil {
		return nil, err
	}
	if place, ok := check(reflect.ValueOf(value)); !ok {
		return nil, &NotUTF8{strings.TrimPrefix(place, ".")}
	}
	return text, nil
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// check finds a text that is not UTF-8; place is the path of members to it.
func check(value reflect.Value) (place string, ok bool) {
	if !value.IsValid() || value.Type().Implements(jsonMarshaler) || value.Type().Implements(textMarshaler) {
		return "", true
	}
	switch value.Kind() {
	case reflect.String:
		return "", utf8.ValidString(value.String())
	case reflect.Pointer, reflect.Interface:
		return check(value.Elem())
	case reflect.Slice, reflect.Array:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return "", true
		}
		for index := range value.Len() {
			if place, ok := check(value.Index(index)); !ok {
				return fmt.Sprintf("[%d]%s", index, place), false
			}
		}
	case reflect.Map:
		for members := value.MapRange(); members.Next(); {
			if place, ok := check(members.Key()); !ok {
				return " a name" + place, false
			}
			if place, ok := check(members.Value()); !ok {
				return "." + members.Key().String() + place, false
			}
		}
	case reflect.Struct:
		for index := range value.NumField() {
			field := value.Type().Field(index)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "-" || !field.IsExported() && !field.Anonymous {
				continue
			}
			if place, ok := check(value.Field(index)); !ok {
				if name == "" {
					name = field.Name
				}
				return "." + name + place, false
			}
		}
	}
	return "", true
}
