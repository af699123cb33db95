package pulsetrust

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The events, and the values of their members, were documented only where a user of Go does not look.
func TestEveryEventIsDocumented(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "session_event.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	documented := ""
	for _, declared := range file.Decls {
		if kind, ok := declared.(*ast.GenDecl); ok && kind.Tok == token.TYPE && kind.Specs[0].(*ast.TypeSpec).Name.Name == "SessionEvent" {
			documented = kind.Doc.Text()
		}
	}
	variant := regexp.MustCompile(`(?m)^    ([A-Z]\w+)(?: \{|,)$`)
	upper := regexp.MustCompile(`\B[A-Z]`)
	count := 0
	expect := func(name string) {
		count++
		if !strings.Contains(documented, `"`+name+`"`) {
			t.Errorf("%q is not documented", name)
		}
	}
	for _, path := range []string{"instance_event.rs", "phone_event.rs"} {
		source, err := os.ReadFile("../../src/ffi/session/" + path)
		if err != nil {
			t.Fatal(err)
		}
		enum, _, _ := strings.Cut(string(source), "\n}\n")
		for _, found := range variant.FindAllStringSubmatch(enum, -1) {
			expect(strings.ToLower(upper.ReplaceAllString(found[1], "_$0")))
		}
		for _, found := range regexp.MustCompile(`=> \("(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			expect(found[1])
		}
	}
	reasons, err := os.ReadFile("../../src/session/link.rs")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`Self::\w+ => "(\w+)"`).FindAllStringSubmatch(string(reasons), -1) {
		expect(found[1])
	}
	if count < 25 {
		t.Errorf("only %d names were found in the sources", count)
	}
}
