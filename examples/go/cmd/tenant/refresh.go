package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

const (
	// An answer is one token and the JSON around it.
	maxRefreshAnswer = 64 << 10
	refreshTimeout   = 30 * time.Second
)

// controlPlane asks for leases. A redirect is not followed: the refresh token is for the URL that was configured.
var controlPlane = http.Client{
	Timeout:       refreshTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// refresh returns the settings for refreshing the lease: nothing if no control plane is configured, or no token is held.
func (t *tenant) refresh() (*pulsetrust.RefreshSettings, error) {
	if t.settings.refreshURL == "" {
		return nil, nil
	}
	return t.dir.LeaseRefresh(t.settings.runtime, t.keys, pulsetrust.DefaultOrg, time.Now())
}

// askForLease posts a refresh request, in a goroutine of its own, and passes on the outcome.
func (c *conversation) askForLease(body string) {
	go func() {
		status, answer, err := post(c.ctx, c.tenant.settings.refreshURL, body)
		if err != nil {
			// The session says so in its event "refresh_failed".
			c.warn(c.session.RefreshFailed())
			return
		}
		c.warn(c.session.RefreshAnswered(status, answer))
	}()
}

func post(ctx context.Context, url, body string) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := controlPlane.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxRefreshAnswer))
	return response.StatusCode, answer, err
}

// leaseRefreshed saves the lease that the session registers with from now on.
func (c *conversation) leaseRefreshed(told pulsetrust.SessionEvent) {
	c.credential = told.Token
	c.tenant.events.write(event{"event": "lease_refreshed", "expires_at": told.ExpiresAt})
	tenant := c.tenant
	c.saved(tenant.dir.SaveRefreshedLease(
		tenant.settings.runtime, tenant.keys, pulsetrust.DefaultOrg, told.RefreshToken, told.Token, time.Now(),
	))
}

// leaseLost clears the lease that the control plane has refused for good. The session is over until there is another lease.
func (c *conversation) leaseLost(told pulsetrust.SessionEvent) {
	c.credential = ""
	c.tenant.events.write(event{"event": "lease_lost", "status": told.Status})
	c.saved(c.tenant.dir.ClearLostLease(pulsetrust.DefaultOrg, told.RefreshToken))
}

// saved ends the session if the control plane has issued another lease meanwhile: the next session begins with that one.
func (c *conversation) saved(saved pulsetrust.RefreshSaved, err error) {
	c.tenant.events.warn(saved.Warnings)
	c.warn(err)
	if saved.Superseded {
		c.isSuperseded = true
		c.end()
	}
}
