package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A refreshing is a tenant whose conversation the test drives, and its control plane.
type refreshing struct {
	*conversation
	asked  chan string
	status int
	answer string
	ended  int
}

// newRefreshing makes a tenant that holds a lease and a refresh token, and a control plane that answers as it is told.
func newRefreshing(t *testing.T) (*refreshing, string) {
	t.Helper()
	path := t.TempDir()
	made, err := provision(path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := &refreshing{asked: make(chan string, 1)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.answer)
		r.asked <- request.Method + " " + request.Header.Get("Content-Type") + " " + string(body)
	}))
	t.Cleanup(server.Close)
	settings := settings{authToken: "the-token", refreshURL: server.URL}
	settings.adopt(made)
	settings.runtime.RelayServer = "ws://127.0.0.1:9/ws/instance"
	tenant, err := start(path, settings, newEvents(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenant.close)
	refresh, err := tenant.refresh()
	if err != nil || refresh == nil || refresh.InstanceHost != made.host {
		t.Fatalf("%+v %v", refresh, err)
	}
	lease, err := tenant.credential()
	if err != nil {
		t.Fatal(err)
	}
	session, err := pulsetrust.NewInstanceSession(pulsetrust.InstanceSettings{
		ServerURL: tenant.config.ServerURL, Credential: lease, InstanceSecret: "s", Refresh: refresh,
	}, tenant.identity, tenant.keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	r.conversation = &conversation{ctx: t.Context(), tenant: tenant, session: session, credential: lease, end: func() { r.ended++ }}
	return r, lease
}

// billing is what the directory holds of the lease.
func (r *refreshing) billing(t *testing.T) (state struct {
	Lease   string `json:"entitlement_jwt"`
	Refresh string `json:"entitlement_refresh_token"`
	State   string `json:"subscription_state"`
}) {
	t.Helper()
	text, _, _, err := r.tenant.dir.BillingState("default")
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestARefreshIsPostedAndItsLeaseSaved(t *testing.T) {
	r, lease := newRefreshing(t)
	r.status, r.answer = 200, `{}`
	r.handle(pulsetrust.SessionEvent{Event: "refresh_due", Body: `{"a":"request"}`})
	if asked := <-r.asked; asked != `POST application/json {"a":"request"}` {
		t.Errorf("asked %q", asked)
	}
	asked := r.billing(t).Refresh
	// The session has verified a lease before it speaks of it; what does not verify is not saved even so.
	r.handle(pulsetrust.SessionEvent{Event: "lease_refreshed", RefreshToken: asked, Token: lease + "x"})
	if r.billing(t).Lease != lease {
		t.Error("a token that does not verify was saved")
	}
	r.handle(pulsetrust.SessionEvent{Event: "lease_refreshed", RefreshToken: asked, Token: lease})
	if r.billing(t).Lease != lease || r.credential != lease {
		t.Error("the lease was not saved")
	}
	r.handle(pulsetrust.SessionEvent{Event: "lease_lost", RefreshToken: "etr_hosted_older", Status: 410})
	if r.billing(t).Lease != lease || !r.isSuperseded || r.ended != 1 {
		t.Error("a lease was cleared whose refresh was not refused, or the session goes on without it")
	}
	r.handle(pulsetrust.SessionEvent{Event: "lease_lost", RefreshToken: asked, Status: 410})
	if state := r.billing(t); state.Lease != "" || state.Refresh != "" || state.State != "expired" || r.ended != 1 {
		t.Errorf("after a final refusal: %+v", state)
	}
}

func TestWithoutAControlPlaneNothingIsRefreshed(t *testing.T) {
	r, _ := newRefreshing(t)
	r.tenant.settings.refreshURL = ""
	if refresh, err := r.tenant.refresh(); refresh != nil || err != nil {
		t.Errorf("%+v %v", refresh, err)
	}
}
