package pulsetrust

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// One value of each exported struct that holds secrets: a struct of the package that is missing here fails the test.
var structsWithSecrets = []any{
	Register{}, RegisterAck{}, Connect{}, ChannelOpen{}, RelayConfig{}, Credential{}, BootstrapReport{}, Pairing{},
	PairingCode{}, ConnectionCheck{}, SessionEvent{}, InstanceSettings{}, PhoneSettings{}, RefreshSettings{}, ProxyRequest{},
	ProxyResponse{}, Frame{},
}

const canary = "canary-of-a-test"

// Secrets came into logs with settings, events and proxied messages, whose structs had been forgotten where the others are
// printed without them.
func TestNoPrintedValueShowsASecret(t *testing.T) {
	secrets := secretMembers(t)
	missing := maps.Clone(secrets)
	for _, value := range structsWithSecrets {
		filled := reflect.New(reflect.TypeOf(value))
		if fillSecrets(filled.Elem(), secrets) == 0 {
			t.Errorf("%T: nothing in it is secret", value)
		}
		delete(missing, filled.Elem().Type().Name())
		var logged bytes.Buffer
		text := slog.New(slog.NewTextHandler(&logged, nil))
		json := slog.New(slog.NewJSONHandler(&logged, nil))
		for _, each := range []any{filled.Interface(), filled.Elem().Interface()} {
			text.Info("", "value", each)
			json.Info("", "value", each)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&logged, verb+"\n", each)
				fmt.Fprintf(&logged, verb+"\n", []any{each})
				fmt.Fprintf(&logged, verb+"\n", struct{ Inside any }{each})
			}
		}
		raw := []byte(canary)
		for _, shown := range []string{
			canary, fmt.Sprintf("%x", raw), strings.Trim(fmt.Sprint(raw), "[]"), strings.Trim(fmt.Sprintf("%#v", raw), "[]byte{}"),
			base64.StdEncoding.EncodeToString(raw),
		} {
			if strings.Contains(logged.String(), shown) {
				t.Errorf("%T shows its secret as %q", value, shown)
				break
			}
		}
	}
	for name := range missing {
		t.Errorf("%s has members that are secret: add it to structsWithSecrets, and Format and LogValue to redact.go", name)
	}
}

var secretName = regexp.MustCompile(`(Token|Secret|PrivateKey|Credential|LicenseKey)$`)

// secretMembers finds the members of exported structs that are secret by their name or their comment.
func secretMembers(t *testing.T) map[string]map[string]bool {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), ".", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]bool{}
	ast.Inspect(packages["pulsetrust"], func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok || !spec.Name.IsExported() {
			return true
		}
		members, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, member := range members.Fields.List {
			for _, name := range member.Names {
				said := strings.HasPrefix(strings.ToLower(member.Comment.Text()), "secret")
				if name.IsExported() && (said || secretName.MatchString(name.Name)) {
					if found[spec.Name.Name] == nil {
						found[spec.Name.Name] = map[string]bool{}
					}
					found[spec.Name.Name][name.Name] = true
				}
			}
		}
		return true
	})
	return found
}

// fillSecrets writes the canary into whatever is secret in a value, and counts that.
func fillSecrets(value reflect.Value, secrets map[string]map[string]bool) (count int) {
	switch value.Kind() {
	case reflect.Pointer:
		if value.Type().Elem().Kind() == reflect.Struct {
			value.Set(reflect.New(value.Type().Elem()))
			return fillSecrets(value.Elem(), secrets)
		}
	case reflect.Struct:
		for index := range value.NumField() {
			member := value.Field(index)
			switch name := value.Type().Field(index); {
			case !name.IsExported():
			case secrets[value.Type().Name()][name.Name] && member.Kind() != reflect.Struct && member.Kind() != reflect.Pointer:
				fillWhole(member)
				count++
			default:
				count += fillSecrets(member, secrets)
			}
		}
	}
	return count
}

func fillWhole(member reflect.Value) {
	switch made := member.Interface().(type) {
	case string:
		member.SetString(canary)
	case map[string]string:
		member.Set(reflect.ValueOf(map[string]string{canary: canary}))
	default:
		if reflect.TypeOf(made).ConvertibleTo(reflect.TypeOf([]byte{})) {
			member.SetBytes([]byte(`"` + canary + `"`))
		}
	}
}
