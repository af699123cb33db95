package main

import (
	"fmt"
	"strings"
)

func cgoFile(functions []function) string {
	var text strings.Builder
	text.WriteString("//go:build cgo\n\n" + warning + "package engine\n\n/*\n#include <pulse_trust.h>\n")
	for _, f := range functions {
		// Nothing calls back into Go or keeps what it is given.
		fmt.Fprintf(&text, "#cgo noescape %s\n#cgo nocallback %s\n", f.cName, f.cName)
	}
	text.WriteString("*/\nimport \"C\"\n\nimport (\ngoruntime \"runtime\"\n\"unsafe\"\n)\n\n")
	for _, f := range functions {
		text.WriteString(f.cgo())
	}
	return text.String()
}

func (f function) cgo() string {
	var before, after strings.Builder
	var arguments []string
	for _, p := range f.parameters {
		name := p.goName()
		switch p.kind {
		case text:
			arguments = append(arguments, fmt.Sprintf("(*C.char)(unsafe.Pointer(unsafe.StringData(%s))), C.size_t(len(%s))", name, name))
		case data:
			arguments = append(arguments, fmt.Sprintf("(*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(%s))), C.size_t(len(%s))", name, name))
		case handle:
			arguments = append(arguments, fmt.Sprintf("(*C.%s)(%s.pointer)", p.c, name))
		case number:
			arguments = append(arguments, fmt.Sprintf("C.%s(%s)", p.c, name))
		case array32:
			arguments = append(arguments, fmt.Sprintf("(*C.uint8_t)(unsafe.Pointer(%s))", name))
		case outBuffer:
			fmt.Fprintf(&before, "var c%s *C.pulse_buffer\n", name)
			fmt.Fprintf(&after, "%s = takeBuffer(unsafe.Pointer(c%s))\n", name, name)
			arguments = append(arguments, "&c"+name)
		case outHandle:
			fmt.Fprintf(&before, "var c%s *C.%s\n", name, p.c)
			fmt.Fprintf(&after, "%s = Ref{unsafe.Pointer(c%s)}\n", name, name)
			arguments = append(arguments, "&c"+name)
		case outNumber:
			fmt.Fprintf(&before, "var c%s C.%s\n", name, p.c)
			fmt.Fprintf(&after, "%s = %s(c%s)\n", name, goNumber(p.c), name)
			arguments = append(arguments, "&c"+name)
		case outArray64:
			arguments = append(arguments, fmt.Sprintf("(*C.uint8_t)(unsafe.Pointer(&%s))", name))
		case outError:
			before.WriteString("var fault *C.pulse_error\n")
			arguments = append(arguments, "&fault")
		}
	}
	// A cleanup must not free a handle while C works on it; the owners keep them alive, this keeps strings.
	keep := ""
	for _, p := range f.parameters {
		if p.kind == text || p.kind == data || p.kind == array32 {
			keep += "goruntime.KeepAlive(" + p.goName() + ")\n"
		}
	}
	call := fmt.Sprintf("C.%s(%s)", f.cName, strings.Join(arguments, ", "))
	body := ""
	switch {
	case f.isFallible():
		body = before.String() + "status := " + call + "\n" + keep +
			"if status != 0 {\nerr = takeFault(int32(status), unsafe.Pointer(fault))\nreturn\n}\n" + after.String() + "return\n"
	case f.returns == "void":
		body = call + "\nreturn\n"
	case f.returns == "const char *":
		body = "return C.GoString(" + call + ")\n"
	default:
		body = "return " + goNumber(f.returns) + "(" + call + ")\n"
	}
	return f.signature() + " {\n" + body + "}\n\n"
}
