package pulsetrust_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A nil of every type with methods on its pointer; a type that is missing here fails the test.
var nils = []any{
	(*pulsetrust.Admission)(nil), (*pulsetrust.Channel)(nil), (*pulsetrust.DataDir)(nil), (*pulsetrust.Error)(nil),
	(*pulsetrust.Handshake)(nil), (*pulsetrust.Identity)(nil), (*pulsetrust.RefreshSettings)(nil),
	(*pulsetrust.RelayConfig)(nil), (*pulsetrust.Session)(nil), (*pulsetrust.SigningKey)(nil), (*pulsetrust.Token)(nil),
	(*pulsetrust.TrustKeys)(nil),
}

// Methods of nil crashed the program, although the error for it says "nil or a zero value".
func TestMethodsOfNilAndOfZeroValues(t *testing.T) {
	missing := typesWithPointerMethods(t)
	for _, value := range nils {
		kind := reflect.TypeOf(value)
		delete(missing, kind.Elem().Name())
		for _, receiver := range []reflect.Value{reflect.ValueOf(value), reflect.New(kind.Elem())} {
			for index := range kind.NumMethod() {
				method := kind.Method(index)
				if _, ofValue := kind.Elem().MethodByName(method.Name); ofValue && receiver.IsNil() {
					continue // Go itself does not call it
				}
				if err := callWithZeros(receiver, method); err != nil {
					t.Errorf("%s of nil (%t): %v", method.Name, receiver.IsNil(), err)
				}
			}
		}
	}
	for name := range missing {
		t.Errorf("%s is missing in nils", name)
	}
}

// callWithZeros calls a method with zero arguments, and returns an error if it panics or if a handle accepts them.
func callWithZeros(receiver reflect.Value, method reflect.Method) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	arguments := []reflect.Value{receiver}
	for index := 1; index < method.Type.NumIn(); index++ {
		arguments = append(arguments, reflect.Zero(method.Type.In(index)))
	}
	switch receiver.Interface().(type) {
	case *pulsetrust.Error, *pulsetrust.RelayConfig, *pulsetrust.RefreshSettings:
		if method.Name == "Format" {
			return nil // needs a state
		}
		method.Func.Call(arguments)
		return nil
	}
	for _, result := range method.Func.Call(arguments) {
		if refusal, ok := result.Interface().(error); ok && !errors.Is(refusal, pulsetrust.ErrInvalidArgument) {
			err = refusal
		}
	}
	return err
}

func typesWithPointerMethods(t *testing.T) map[string]bool {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	ast.Inspect(packages["pulsetrust"], func(node ast.Node) bool {
		method, ok := node.(*ast.FuncDecl)
		if !ok || method.Recv == nil || !method.Name.IsExported() {
			return true
		}
		if pointer, ok := method.Recv.List[0].Type.(*ast.StarExpr); ok {
			if name := pointer.X.(*ast.Ident); name.IsExported() {
				found[name.Name] = true
			}
		}
		return true
	})
	return found
}

func TestArgumentsThatAreNil(t *testing.T) {
	session := must[*pulsetrust.Session](t)(pulsetrust.NewInstanceSession(pulsetrust.InstanceSettings{
		ServerURL: "wss://relay.example.test/ws/instance", Credential: "a credential of a test", InstanceSecret: "t.example.test",
	}, must[*pulsetrust.Identity](t)(pulsetrust.GenerateIdentity()), nil))
	defer session.Close()
	//lint:ignore SA1012 a nil context is what is tested
	if err := session.Run(nil, nil, nil); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("Run: %v", err)
	}
	if errors.Is((*pulsetrust.Error)(nil), &pulsetrust.Error{}) || errors.Is(&pulsetrust.Error{}, (*pulsetrust.Error)(nil)) {
		t.Error("nil is an error")
	}
	if keys, err := new(pulsetrust.TrustKeys).WithTables(pulsetrust.TablesSmall); keys != nil || err == nil {
		t.Errorf("tables for no keys: %v, %v", keys, err)
	}
	if keys, err := pulsetrust.NewTrustKeys("not a key", ""); keys != nil || err == nil {
		t.Errorf("keys of what is not one: %v, %v", keys, err)
	}
}

// A time that was not set accepted every credential that has expired.
func TestTheZeroTimeIsRefused(t *testing.T) {
	var unset time.Time
	signer := must[*pulsetrust.SigningKey](t)(pulsetrust.GenerateSigningKey())
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(must[string](t)(signer.PublicKey()), ""))
	claims := []byte(`{"org_id":"default","instance_host":"t.example.test","exp":1000000000}`)
	expired := must[string](t)(pulsetrust.SignToken(signer, pulsetrust.KindLease, claims, false))
	admission := must[*pulsetrust.Admission](t)(pulsetrust.NewAdmission(keys, 0))
	checks := pulsetrust.LeaseChecks{Host: pulsetrust.AnyHost()}
	token := must[*pulsetrust.Token](t)(pulsetrust.VerifyToken(keys, expired, checks, time.Unix(1, 0)))
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(t.TempDir()))
	defer dir.Close()
	config := pulsetrust.RuntimeConfig{}
	for name, call := range map[string]func() error{
		"VerifyToken":  func() error { _, err := pulsetrust.VerifyToken(keys, expired, checks, unset); return err },
		"InspectToken": func() error { _, err := pulsetrust.InspectToken(keys, expired, checks, unset); return err },
		"Admit":        func() error { _, err := admission.Admit(expired, "", unset); return err },
		"Check":        func() error { return token.Check("relay", unset) },
		"Capabilities": func() error { _, err := token.Capabilities(unset); return err },
		"RefreshDelay": func() error { _, err := pulsetrust.RefreshDelay(time.Now(), unset); return err },
		"Bootstrap":    func() error { _, err := dir.Bootstrap(config, keys, unset); return err },
		"Readiness":    func() error { _, err := dir.Readiness(config, keys, unset); return err },
		"RegistrationCredential": func() error {
			_, err := dir.RegistrationCredential(config, keys, unset)
			return err
		},
		"IssueBillingState": func() error {
			_, err := dir.IssueBillingState(pulsetrust.TenantOrder{}, "", unset)
			return err
		},
		"ResolveBilling": func() error {
			_, err := dir.ResolveBilling(config, keys, "", []byte("{}"), unset)
			return err
		},
		"LeaseRefresh": func() error { _, err := dir.LeaseRefresh(config, keys, "default", unset); return err },
		"SaveRefreshedLease": func() error {
			_, err := dir.SaveRefreshedLease(config, keys, "default", "", expired, unset)
			return err
		},
		"Answered": func() error {
			_, _, err := new(pulsetrust.RefreshSettings).Answered(keys, 200, nil, unset)
			return err
		},
	} {
		var refusal *pulsetrust.Error
		if err := call(); !errors.As(err, &refusal) || refusal.Code != pulsetrust.ErrInvalidArgument || !strings.HasPrefix(refusal.Message, "the time") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
