package main

import (
	"fmt"
	"strings"
)

func wasmFile(functions []function) string {
	var text strings.Builder
	text.WriteString("//go:build !cgo\n\n" + warning + "package engine\n\n")
	for _, f := range functions {
		text.WriteString(f.wasm())
	}
	return text.String()
}

func (f function) wasm() string {
	var after strings.Builder
	var arguments []string
	instance := "in"
	for _, p := range f.parameters {
		name := p.goName()
		switch p.kind {
		case text:
			arguments = append(arguments, fmt.Sprintf("c.text(%s)", name), fmt.Sprintf("uint64(len(%s))", name))
		case data:
			arguments = append(arguments, fmt.Sprintf("c.bytes(%s)", name), fmt.Sprintf("uint64(len(%s))", name))
		case handle:
			if instance == "in" {
				instance = name + ".in"
			}
			arguments = append(arguments, fmt.Sprintf("uint64(%s.pointer)", name))
		case number:
			arguments = append(arguments, wasmNumber(p.c, name))
		case array32:
			arguments = append(arguments, fmt.Sprintf("c.bytes(%s[:])", name))
		case outBuffer:
			arguments = append(arguments, "c.out()")
			fmt.Fprintf(&after, "%s = c.takeBuffer(%d)\n", name, len(arguments)-1)
		case outHandle:
			arguments = append(arguments, "c.out()")
			fmt.Fprintf(&after, "%s = Ref{c.in, c.outNumber(%d)}\n", name, len(arguments)-1)
		case outNumber:
			arguments = append(arguments, "c.out()")
			fmt.Fprintf(&after, "%s = %s(c.outNumber(%d))\n", name, goNumber(p.c), len(arguments)-1)
		case outArray64:
			arguments = append(arguments, "c.room(64)")
			fmt.Fprintf(&after, "c.outBytes(%d, %s[:])\n", len(arguments)-1, name)
		case outError:
			arguments = append(arguments, "c.out()")
		}
	}
	given := fmt.Sprintf("c.call(%q", f.cName)
	for _, argument := range arguments {
		given += ", " + argument
	}
	given += ")"
	body := "c := " + instance + ".begin()\ndefer c.end()\n"
	switch {
	case f.isFallible():
		body += "if err = c.status(" + given + "); err != nil {\nreturn\n}\n" + after.String() + "return\n"
	case f.returns == "void":
		body += given + "\nreturn\n"
	case f.returns == "const char *":
		body += "return c.cText(" + given + ")\n"
	default:
		body += "return " + goNumber(f.returns) + "(" + given + ")\n"
	}
	return f.signature() + " {\n" + body + "}\n\n"
}

// wasmNumber puts a number on the stack of WebAssembly: one of 32 bits in the lower half.
func wasmNumber(c, name string) string {
	switch goNumber(c) {
	case "int64", "uint64":
		return "uint64(" + name + ")"
	}
	return "uint64(uint32(" + name + "))"
}
