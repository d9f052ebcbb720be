package server

import (
	"net/http"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// platformFeatures are all that a user object must tell about; the ones here
// are those that this server has.
var platformFeatures = map[string]bool{
	"ACTORS": true, "STORAGE": true, "SCHEDULER": false, "PROXY": false,
	"PROXY_EXTERNAL_ACCESS": false, "PROXY_RESIDENTIAL": false, "PROXY_SERPS": false,
	"WEBHOOKS": false, "ACTORS_PUBLIC_ALL": false, "ACTORS_PUBLIC_DEVELOPER": false,
}

func (s *server) me(c *call) error {
	user := api.User{
		ID: s.UserID, Username: s.Username, Profile: api.UserProfile{Name: s.Username},
		Plan: api.UserPlan{
			ID: "LOCAL", Description: "This machine", IsEnabled: true,
			EnabledPlatformFeatures: []string{"ACTORS", "STORAGE"}, AvailableProxyGroups: map[string]int{},
		},
		EffectivePlatformFeatures: map[string]api.PlatformFeature{},
		CreatedAt:                 s.started,
	}
	if s.ProxyPassword != "" && !c.caller.ReadOnly && c.caller.StoragesOf == "" {
		user.Proxy = &api.UserProxy{Password: s.ProxyPassword, Groups: []api.ProxyGroup{}}
	}
	reason, reasonType := "not available on this server", "DISABLED"
	for name, enabled := range platformFeatures {
		if name == "PROXY" {
			enabled = user.Proxy != nil
		}
		feature := api.PlatformFeature{IsEnabled: enabled}
		if !enabled {
			feature.DisabledReason, feature.DisabledReasonType = &reason, &reasonType
		}
		user.EffectivePlatformFeatures[name] = feature
	}
	return c.data(http.StatusOK, user)
}

func (s *server) publicUser(c *call) error {
	id := c.param("userId")
	if id != s.UserID && id != s.Username && id != "~"+s.Username {
		return fault.New(fault.NotFound, "user %q was not found", id)
	}
	return c.data(http.StatusOK, map[string]any{
		"username": s.Username, "profile": api.UserProfile{Name: s.Username},
	})
}
