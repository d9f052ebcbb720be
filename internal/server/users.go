package server

import (
	"net/http"
	"slices"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// features are all that a user object must tell about, and whether this server
// has them.
func (s *server) features(proxy bool) map[string]bool {
	return map[string]bool{
		"ACTORS": true, "STORAGE": true, "SCHEDULER": s.Schedules != nil, "PROXY": proxy,
		"PROXY_EXTERNAL_ACCESS": false, "PROXY_RESIDENTIAL": false, "PROXY_SERPS": false,
		"WEBHOOKS": s.Webhooks != nil, "ACTORS_PUBLIC_ALL": false, "ACTORS_PUBLIC_DEVELOPER": false,
	}
}

func (s *server) me(c *call) error {
	user := api.User{
		ID: s.UserID, Username: s.Username, Profile: api.UserProfile{Name: s.Username},
		Plan: api.UserPlan{
			ID: "LOCAL", Description: "This machine", IsEnabled: true,
			EnabledPlatformFeatures: []string{}, AvailableProxyGroups: map[string]int{},
		},
		EffectivePlatformFeatures: map[string]api.PlatformFeature{},
		CreatedAt:                 s.started,
	}
	if s.ProxyPassword != "" && !c.caller.ReadOnly && c.caller.StoragesOf == "" {
		user.Proxy = &api.UserProxy{Password: s.ProxyPassword, Groups: []api.ProxyGroup{}}
	}
	reason, reasonType := "not available on this server", "DISABLED"
	for name, enabled := range s.features(user.Proxy != nil) {
		feature := api.PlatformFeature{IsEnabled: enabled}
		if enabled {
			user.Plan.EnabledPlatformFeatures = append(user.Plan.EnabledPlatformFeatures, name)
		} else {
			feature.DisabledReason, feature.DisabledReasonType = &reason, &reasonType
		}
		user.EffectivePlatformFeatures[name] = feature
	}
	slices.Sort(user.Plan.EnabledPlatformFeatures)
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
