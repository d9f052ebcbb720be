package api

// User is the owner of the token as GET /users/me shows it. The Python client
// needs every field that is not marked as optional.
type User struct {
	ID                        string                     `json:"id"`
	Username                  string                     `json:"username"`
	Profile                   UserProfile                `json:"profile"`
	Proxy                     *UserProxy                 `json:"proxy,omitempty"`
	Plan                      UserPlan                   `json:"plan"`
	EffectivePlatformFeatures map[string]PlatformFeature `json:"effectivePlatformFeatures"`
	CreatedAt                 Time                       `json:"createdAt"`
	IsPaying                  bool                       `json:"isPaying"`
}

// UserProfile is what a user tells about themselves.
type UserProfile struct {
	Name string `json:"name,omitempty"`
}

// UserProxy holds the access to the proxy service.
type UserProxy struct {
	Password string       `json:"password"`
	Groups   []ProxyGroup `json:"groups"`
}

// ProxyGroup is one group of proxy servers.
type ProxyGroup struct {
	Name           string  `json:"name"`
	Description    *string `json:"description"`
	AvailableCount int     `json:"availableCount"`
}

// UserPlan is what the user may use.
type UserPlan struct {
	ID                      string         `json:"id"`
	Description             string         `json:"description"`
	IsEnabled               bool           `json:"isEnabled"`
	EnabledPlatformFeatures []string       `json:"enabledPlatformFeatures"`
	AvailableProxyGroups    map[string]int `json:"availableProxyGroups"`
}

// PlatformFeature says whether a feature is available and why not.
type PlatformFeature struct {
	IsEnabled          bool    `json:"isEnabled"`
	DisabledReason     *string `json:"disabledReason"`
	DisabledReasonType *string `json:"disabledReasonType"`
	IsTrial            bool    `json:"isTrial"`
	TrialExpirationAt  *Time   `json:"trialExpirationAt"`
}
