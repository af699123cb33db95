package main

import (
	"log"
	"regexp"
	"strings"
)

// A function of the header, its C parameters grouped into Go ones.
type function struct {
	cName      string
	returns    string // the C type
	parameters []parameter
}

type parameter struct {
	name string
	kind kind
	c    string // the C type, without its asterisks
}

type kind int

const (
	text       kind = iota // const char * and its length: string
	data                   // const uint8_t * and its length: []byte
	handle                 // a live handle: Ref
	number                 // passed as it is
	array32                // const uint8_t * of 32 bytes
	outBuffer              // pulse_buffer **: []byte
	outHandle              // pulse_T **: Ref
	outNumber              // uint32_t *, size_t *, uint8_t *
	outArray64             // uint8_t * of 64 bytes
	outError               // pulse_error **
)

func (f function) goName() string { return camel(strings.TrimPrefix(f.cName, "pulse_")) }

func (f function) isFallible() bool { return f.returns == "pulse_status" }

func (f function) takesHandle() bool {
	for _, p := range f.parameters {
		if p.kind == handle {
			return true
		}
	}
	return false
}

func (p parameter) isOut() bool { return p.kind >= outBuffer }

func (p parameter) goName() string {
	name := camel(strings.TrimPrefix(p.name, "out_"))
	name = strings.ToLower(name[:1]) + name[1:]
	if p.isOut() {
		return "out" + strings.ToUpper(name[:1]) + name[1:]
	}
	return name
}

var (
	comment   = regexp.MustCompile(`(?s)/\*.*?\*/`)
	directive = regexp.MustCompile(`(?m)^#.*$`)
	prototype = regexp.MustCompile(`(?s)([\w ]+[ *])(pulse_\w+)\(([^)]*)\)`)
	declared  = regexp.MustCompile(`^(const )?(\w+) ?(\**) ?(\w+)$`)
	spaces    = regexp.MustCompile(`\s+`)
)

// parse gives every function but those of buffers and errors, which the engines have by hand.
func parse(header string) []function {
	code := directive.ReplaceAllString(comment.ReplaceAllString(header, ""), "")
	var functions []function
	for _, found := range prototype.FindAllStringSubmatch(code, -1) {
		name := found[2]
		if strings.HasPrefix(name, "pulse_buffer_") || strings.HasPrefix(name, "pulse_error_") {
			continue
		}
		f := function{cName: name, returns: strings.TrimSpace(spaces.ReplaceAllString(found[1], " "))}
		declarations := strings.Split(spaces.ReplaceAllString(found[3], " "), ",")
		for i := 0; i < len(declarations); i++ {
			declaration := strings.TrimSpace(declarations[i])
			if declaration == "void" {
				continue
			}
			parts := declared.FindStringSubmatch(declaration)
			if parts == nil {
				log.Fatalf("%s: cannot read %q", name, declaration)
			}
			p := parameter{name: parts[4], c: parts[2]}
			p.kind = kindOf(parts[1] != "", parts[2], parts[3], parts[4])
			if p.kind == text || p.kind == data {
				i++ // its length
			}
			f.parameters = append(f.parameters, p)
		}
		functions = append(functions, f)
	}
	return functions
}

func kindOf(isConst bool, c, stars, name string) kind {
	switch {
	case c == "pulse_error" && stars == "**":
		return outError
	case c == "pulse_buffer" && stars == "**":
		return outBuffer
	case strings.HasPrefix(c, "pulse_") && stars == "**":
		return outHandle
	case strings.HasPrefix(c, "pulse_") && stars == "*":
		return handle
	case c == "char" && stars == "*":
		return text
	case c == "uint8_t" && name == "ephemeral_public_key":
		return array32
	case c == "uint8_t" && name == "out_signature":
		return outArray64
	case c == "uint8_t" && isConst && stars == "*":
		return data
	case stars == "*":
		return outNumber
	case stars == "":
		return number
	}
	log.Fatalf("cannot sort parameter %s %s%s", c, stars, name)
	return 0
}

// goNumber is the Go type of a C number.
func goNumber(c string) string {
	switch c {
	case "int64_t":
		return "int64"
	case "uint64_t":
		return "uint64"
	case "uint32_t":
		return "uint32"
	case "uint8_t":
		return "uint8"
	case "size_t":
		return "int"
	default: // int32_t, pulse_kind, pulse_status and the like
		return "int32"
	}
}

// signature is the Go signature, the same for both engines.
func (f function) signature() string {
	var in, out []string
	if !f.takesHandle() {
		in = append(in, "in *Instance")
	}
	for _, p := range f.parameters {
		switch p.kind {
		case text:
			in = append(in, p.goName()+" string")
		case data:
			in = append(in, p.goName()+" []byte")
		case handle:
			in = append(in, p.goName()+" Ref")
		case number:
			in = append(in, p.goName()+" "+goNumber(p.c))
		case array32:
			in = append(in, p.goName()+" *[32]byte")
		case outBuffer:
			out = append(out, p.goName()+" []byte")
		case outHandle:
			out = append(out, p.goName()+" Ref")
		case outNumber:
			out = append(out, p.goName()+" "+goNumber(p.c))
		case outArray64:
			out = append(out, p.goName()+" [64]byte")
		}
	}
	switch {
	case f.isFallible():
		out = append(out, "err error")
	case f.returns == "const char *":
		out = append(out, "value string")
	case f.returns != "void":
		out = append(out, "value "+goNumber(f.returns))
	}
	return "func " + f.goName() + "(" + strings.Join(in, ", ") + ") (" + strings.Join(out, ", ") + ")"
}
