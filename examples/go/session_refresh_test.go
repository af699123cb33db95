package pulsetrust

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// refreshVectors is tests/vectors/lease_refresh.json: what a session makes of each answer to a refresh.
type refreshVectors struct {
	LeasePublicKey string          `json:"lease_public_key"`
	Now            int64           `json:"now"`
	Refresh        RefreshSettings `json:"refresh"`
	Request        string          `json:"request"`
	Waits          []int64         `json:"failures_are_followed_after_ms"`
	Answers        []struct {
		Name      string `json:"name"`
		Status    int    `json:"status"`
		Body      string `json:"body"`
		Event     string `json:"event"`
		Error     string `json:"error"`
		Token     string `json:"token"`
		ExpiresAt int64  `json:"expires_at"`
	} `json:"answers"`
}

func readRefreshVectors(t *testing.T) (v refreshVectors) {
	t.Helper()
	text, err := os.ReadFile("../../tests/vectors/lease_refresh.json")
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || len(v.Answers) < 20 {
		t.Fatal(len(v.Answers), err)
	}
	return v
}

// A steppedSession is a session whose clock the test moves.
type steppedSession struct {
	*Session
	t   *testing.T
	now int64 // in milliseconds after the moment of the vectors
	v   refreshVectors
}

// due is a session whose first refresh is due.
func due(t *testing.T, v refreshVectors) *steppedSession {
	t.Helper()
	identity, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(identity.Close)
	keys, err := NewTrustKeys(v.LeasePublicKey, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keys.Close)
	settings := InstanceSettings{
		ServerURL: "wss://relay.example.test/ws/instance", Credential: "a lease", InstanceSecret: "a secret", Refresh: &v.Refresh,
	}
	session, err := NewInstanceSession(settings, identity, keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	s := &steppedSession{session, t, 0, v}
	s.feed(engine.FeedStart, 0, "")
	s.now = 60_000
	if request := s.request(); request != v.Request {
		t.Fatalf("the request is %s", request)
	}
	return s
}

func (s *steppedSession) feed(what int32, number uint32, data string) {
	s.t.Helper()
	err := s.handle.useAlone(func(ref engine.Ref) error {
		return engine.SessionFeed(ref, what, number, []byte(data), s.now, s.v.Now+s.now/1000)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// request is the request that is due now, or nothing.
func (s *steppedSession) request() string {
	s.t.Helper()
	s.feed(engine.FeedTimeout, 0, "")
	events := s.events()
	asked := slices.IndexFunc(events, func(event SessionEvent) bool { return event.Event == "refresh_due" })
	if asked < 0 {
		return ""
	}
	return events[asked].Body
}

func (s *steppedSession) events() (events []SessionEvent) {
	s.t.Helper()
	for {
		var do uint32
		var data []byte
		err := s.handle.useAlone(func(ref engine.Ref) (err error) {
			do, _, data, err = engine.SessionPoll(ref)
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if do == engine.DoNothing {
			return events
		}
		if do == engine.DoEvent {
			var event SessionEvent
			if err := json.Unmarshal(data, &event); err != nil {
				s.t.Fatal(err)
			}
			events = append(events, event)
		}
	}
}

func TestEveryAnswerToARefreshBecomesItsEvent(t *testing.T) {
	v := readRefreshVectors(t)
	for _, answer := range v.Answers {
		t.Run(answer.Name, func(t *testing.T) {
			s := due(t, v)
			s.feed(engine.FeedRefreshAnswer, uint32(answer.Status), answer.Body)
			events := s.events()
			if len(events) == 0 || events[0].Event != answer.Event {
				t.Fatalf("%v, expected %s", events, answer.Event)
			}
			got := events[0]
			switch got.Event {
			case "lease_refreshed":
				if got.Token != answer.Token || got.ExpiresAt != answer.ExpiresAt || got.RefreshToken != v.Refresh.RefreshToken {
					t.Errorf("%s until %d", got.Token, got.ExpiresAt)
				}
			case "refresh_failed":
				var reason Reason
				if err := json.Unmarshal(got.Error, &reason); err != nil || reason.Name != answer.Error {
					t.Errorf("%s %v, expected %s", got.Error, err, answer.Error)
				}
			case "lease_lost":
				if got.Status != answer.Status || got.RefreshToken != v.Refresh.RefreshToken {
					t.Errorf("status %d for %q", got.Status, got.RefreshToken)
				}
			}
		})
	}
}

func TestFailedRefreshesAreFollowedByTheWaitsOfTheVector(t *testing.T) {
	v := readRefreshVectors(t)
	s := due(t, v)
	for count, wait := range v.Waits {
		s.feed(engine.FeedRefreshAnswer, 503, "")
		events := s.events()
		if len(events) == 0 || events[0].RetryAt == nil || *events[0].RetryAt != s.now+wait {
			t.Fatalf("failure %d: %v", count, events)
		}
		s.now += wait - 1
		if s.request() != "" {
			t.Errorf("failure %d: asked too early", count)
		}
		s.now++
		if s.request() == "" {
			t.Errorf("failure %d: not asked", count)
		}
	}
}

// What a refresh brings is saved, and what it loses is cleared; nothing else of the billing state changes.
func TestARefreshInTheDirectory(t *testing.T) {
	dir, err := OpenDataDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	key, err := GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	public, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewTrustKeys(public, "")
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	now := time.Now()
	config := RuntimeConfig{Hosted: true}
	if refresh, err := dir.LeaseRefresh(config, keys, DefaultOrg, now); refresh != nil || err != nil {
		t.Errorf("of an empty directory: %v %v", refresh, err)
	}
	secret, err := key.SecretBase64()
	if err != nil {
		t.Fatal(err)
	}
	issue := func(at time.Time) {
		order := TenantOrder{TenantID: "t-abc", BaseURL: "https://cloud.example.test", StripeCustomerID: "cus_1"}
		if _, err := dir.IssueBillingState(order, string(secret), at); err != nil {
			t.Fatal(err)
		}
	}
	billing := func() (state struct {
		Lease   string `json:"entitlement_jwt"`
		Refresh string `json:"entitlement_refresh_token"`
		State   string `json:"subscription_state"`
		Stripe  string `json:"stripe_customer_id"`
	}) {
		text, _, _, err := dir.BillingState("default")
		if err == nil {
			err = json.Unmarshal(text, &state)
		}
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	issue(now.Add(time.Hour))
	newer := billing().Lease
	issue(now)
	older := billing()
	refresh, err := dir.LeaseRefresh(config, keys, DefaultOrg, now)
	if err != nil || refresh == nil || refresh.InstanceHost != "t-abc.cloud.example.test" || refresh.OrgID != "default" ||
		refresh.RefreshToken != older.Refresh || refresh.ExpiresAt <= now.Unix() {
		t.Fatalf("%+v %v", refresh, err)
	}
	save := func(asked, token string) (RefreshSaved, error) {
		return dir.SaveRefreshedLease(config, keys, DefaultOrg, asked, token, now)
	}
	if _, err := save(older.Refresh, "forged"); !isCode(err, ErrTokenMalformed) || billing() != older {
		t.Errorf("a token that does not verify: %v", err)
	}
	// Another lease was issued after these were asked for.
	if late, err := save("etr_hosted_older", newer); err != nil || !late.Superseded || billing() != older {
		t.Errorf("a lease that comes too late: %+v %v", late, err)
	}
	if late, err := dir.ClearLostLease(DefaultOrg, "etr_hosted_older"); err != nil || !late.Superseded || billing() != older {
		t.Errorf("a refusal that comes too late: %+v %v", late, err)
	}
	report, err := save(older.Refresh, newer)
	saved := billing()
	if err != nil || report.Superseded || saved.Lease != newer || saved.Refresh != older.Refresh || saved.Stripe != "cus_1" {
		t.Errorf("%v %v", saved, err)
	}
	if report, err := dir.ClearLostLease(DefaultOrg, older.Refresh); err != nil || report.Superseded {
		t.Errorf("%+v %v", report, err)
	}
	if cleared := billing(); cleared.Lease != "" || cleared.Refresh != "" || cleared.State != "expired" || cleared.Stripe != "cus_1" {
		t.Errorf("%+v", cleared)
	}
	if late, err := save(older.Refresh, newer); err != nil || !late.Superseded {
		t.Errorf("a lease for a state that holds none: %+v %v", late, err)
	}
	if refresh, err := dir.LeaseRefresh(config, keys, DefaultOrg, now); refresh != nil || err != nil {
		t.Errorf("of a cleared state: %v %v", refresh, err)
	}
}
