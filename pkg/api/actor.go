package api

import "encoding/json"

// Actor is a program known to the platform.
type Actor struct {
	ID                string                  `json:"id"`
	UserID            string                  `json:"userId"`
	Name              string                  `json:"name"`
	Username          string                  `json:"username"`
	Title             *string                 `json:"title,omitempty"`
	Description       *string                 `json:"description,omitempty"`
	SEOTitle          *string                 `json:"seoTitle,omitempty"`
	SEODescription    *string                 `json:"seoDescription,omitempty"`
	Categories        []string                `json:"categories,omitempty"`
	IsPublic          bool                    `json:"isPublic"`
	IsDeprecated      *bool                   `json:"isDeprecated,omitempty"`
	RestartOnError    *bool                   `json:"restartOnError,omitempty"` // deprecated: DefaultRunOptions has it
	PermissionLevel   string                  `json:"actorPermissionLevel,omitempty"`
	CreatedAt         Time                    `json:"createdAt"`
	ModifiedAt        Time                    `json:"modifiedAt"`
	Stats             ActorStats              `json:"stats"`
	Versions          []ActorVersion          `json:"versions"`
	DefaultRunOptions DefaultRunOptions       `json:"defaultRunOptions"`
	ExampleRunInput   *ExampleRunInput        `json:"exampleRunInput,omitempty"`
	TaggedBuilds      map[string]*TaggedBuild `json:"taggedBuilds,omitempty"`
	// PricingInfos is the history of the Actor's prices, each an
	// ActorRunPricingInfo of the API's document.
	PricingInfos  []json.RawMessage `json:"pricingInfos,omitempty"`
	ActorStandby  *ActorStandby     `json:"actorStandby,omitempty"`
	StandbyURL    *string           `json:"standbyUrl,omitempty"`
	DeploymentKey string            `json:"deploymentKey,omitempty"` // the public half of an SSH key
	ReadmeSummary string            `json:"readmeSummary,omitempty"`
}

// Levels of what a run may do with the account it runs for.
const (
	LimitedPermissions = "LIMITED_PERMISSIONS"
	FullPermissions    = "FULL_PERMISSIONS"
)

// DefaultRunOptions are an Actor's options for runs whose caller sets none.
// Memory is in mebibytes; zero values are not set.
type DefaultRunOptions struct {
	Build                string `json:"build,omitempty"`
	TimeoutSecs          *int   `json:"timeoutSecs,omitempty"`
	MemoryMbytes         int    `json:"memoryMbytes,omitempty"`
	RestartOnError       *bool  `json:"restartOnError,omitempty"`
	MaxItems             *int   `json:"maxItems,omitempty"`
	ForcePermissionLevel string `json:"forcePermissionLevel,omitempty"`
}

// ExampleRunInput is what a run gets when its caller gives no input.
type ExampleRunInput struct {
	Body        string `json:"body"`
	ContentType string `json:"contentType"`
}

// ActorStandby is how an Actor's or a task's web server is kept ready.
type ActorStandby struct {
	IsEnabled                    *bool   `json:"isEnabled,omitempty"`
	DesiredRequestsPerActorRun   *int    `json:"desiredRequestsPerActorRun,omitempty"`
	MaxRequestsPerActorRun       *int    `json:"maxRequestsPerActorRun,omitempty"`
	IdleTimeoutSecs              *int    `json:"idleTimeoutSecs,omitempty"`
	Build                        *string `json:"build,omitempty"`
	MemoryMbytes                 *int    `json:"memoryMbytes,omitempty"`
	DisableStandbyFieldsOverride *bool   `json:"disableStandbyFieldsOverride,omitempty"`
	ShouldPassActorInput         *bool   `json:"shouldPassActorInput,omitempty"`
}

// ActorStats counts what happened to an Actor.
type ActorStats struct {
	TotalBuilds      int   `json:"totalBuilds"`
	TotalRuns        int   `json:"totalRuns"`
	TotalUsers       int   `json:"totalUsers"`
	TotalUsers7Days  int   `json:"totalUsers7Days"`
	TotalUsers30Days int   `json:"totalUsers30Days"`
	TotalUsers90Days int   `json:"totalUsers90Days"`
	TotalMetamorphs  int   `json:"totalMetamorphs,omitempty"`
	LastRunStartedAt *Time `json:"lastRunStartedAt,omitempty"`
}

// Kinds of sources of a version.
const (
	SourceFiles      = "SOURCE_FILES"
	SourceGitRepo    = "GIT_REPO"
	SourceTarball    = "TARBALL"
	SourceGitHubGist = "GITHUB_GIST"
)

// ActorVersion is one version of an Actor's source. Which of the source fields
// counts is for SourceType to say.
type ActorVersion struct {
	VersionNumber       string       `json:"versionNumber"` // MAJOR.MINOR
	SourceType          string       `json:"sourceType"`
	BuildTag            string       `json:"buildTag,omitempty"`
	EnvVars             []EnvVar     `json:"envVars,omitempty"`
	ApplyEnvVarsToBuild *bool        `json:"applyEnvVarsToBuild,omitempty"`
	SourceFiles         []SourceFile `json:"sourceFiles,omitempty"`
	GitRepoURL          string       `json:"gitRepoUrl,omitempty"`
	TarballURL          string       `json:"tarballUrl,omitempty"`
	GitHubGistURL       string       `json:"gitHubGistUrl,omitempty"`
}

// EnvVar is a variable of a version's environment. A secret one comes without
// its value.
type EnvVar struct {
	Name     string  `json:"name"`
	Value    *string `json:"value,omitempty"`
	IsSecret *bool   `json:"isSecret,omitempty"`
}

// SourceFile is a file or a folder of a version. The Format of a file's content
// is TEXT or BASE64.
type SourceFile struct {
	Name    string  `json:"name"`
	Format  string  `json:"format,omitempty"`
	Content *string `json:"content,omitempty"`
	Folder  bool    `json:"folder,omitempty"`
}

// TaggedBuild is the build a tag points to.
type TaggedBuild struct {
	BuildID        string  `json:"buildId"`
	BuildNumber    *string `json:"buildNumber,omitempty"`
	BuildNumberInt int     `json:"buildNumberInt,omitempty"`
	FinishedAt     *Time   `json:"finishedAt,omitempty"`
}

// StoreActor is an Actor as a search of the store shows it.
type StoreActor struct {
	ID                 string        `json:"id"`
	Name               string        `json:"name"`
	Username           string        `json:"username"`
	Title              string        `json:"title"`
	Description        string        `json:"description"`
	Stats              ActorStats    `json:"stats"`
	CurrentPricingInfo *StorePricing `json:"currentPricingInfo"`
}

// StorePricing is how an Actor of the store is paid.
type StorePricing struct {
	PricingModel string `json:"pricingModel"`
}
