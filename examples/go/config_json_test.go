package pulsetrust_test

import (
	"encoding/json"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A config has the same JSON as a value and as a pointer, with the members that it does not know.
func TestRelayConfigJSON(t *testing.T) {
	const text = `{"enabled":true,"server_url":"wss://relay.example.test/ws/instance","later":[1]}`
	var config pulsetrust.RelayConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	byValue := must[[]byte](t)(json.Marshal(config))
	byPointer := must[[]byte](t)(json.Marshal(&config))
	var members map[string]any
	if err := json.Unmarshal(byValue, &members); err != nil {
		t.Fatal(err)
	}
	if string(byValue) != string(byPointer) || members["later"] == nil || members["enabled"] != true {
		t.Errorf("by value %s\nby pointer %s", byValue, byPointer)
	}
}
