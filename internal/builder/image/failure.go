package image

import (
	"fmt"
	"regexp"
	"strings"

	cerrdefs "github.com/containerd/errdefs"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// failure is a build that the engine gave up.
type failure struct {
	step string   // the name of the step, "" when it did not come to one
	text string   // what the engine said
	tail []string // the last lines of the step's output
}

func (f *failure) Error() string { return f.text }

// refused is an error of the build request itself: with the classic builder,
// or a Dockerfile that cannot be parsed, the engine answers with a status.
func refused(err error) error {
	if cerrdefs.IsInvalidArgument(err) || cerrdefs.IsNotFound(err) || cerrdefs.IsInternal(err) {
		return &failure{text: err.Error()}
	}
	return engineError(err)
}

var (
	// unreachable matches how engines say that they could not talk to a
	// registry, as opposed to one that has no such image.
	unreachable = regexp.MustCompile(`(?i)no such host|dial tcp|i/o timeout|connection refused|connection reset|network is unreachable|TLS handshake|x509:|proxyconnect|failed to do request|Temporary failure in name resolution|server misbehaving|context deadline exceeded|Client\.Timeout`)
	// missing matches how registries say that there is no such image.
	missing = regexp.MustCompile(`(?i)pull access denied|manifest unknown|not found: manifest|: not found|repository does not exist|does not exist or may require`)
	// metadata are the names of the steps that look an image up.
	metadata = regexp.MustCompile(`^\[internal\] load metadata for (\S+)|^resolve image config for (?:docker-image://)?(\S+)|FROM (?:--platform=\S+ )?(\S+)`)
	copying  = regexp.MustCompile(`(?i)(^|[\] ])(COPY|ADD) `)
	notThere = regexp.MustCompile(`(?i)not found|does not exist|no such file|no source files`)
	// requested is where engines name the image in the error itself.
	requested = regexp.MustCompile(`registry[^/\s]*/v2/([^\s"]+)/manifests/([^\s":]+)|pull access denied for ([^\s,]+)|invalid from flag value ([^\s:]+(?::[\w.-]+)?)|^(?:.*: )?((?:[\w.-]+/)*[\w.-]+:[\w.-]+): (?:failed to|not found)`)
)

// frontendUnreachable tells whether the build failed because the image of the
// Dockerfile's own frontend could not be pulled.
func (f *failure) frontendUnreachable(frontend string) bool {
	short := strings.TrimPrefix(frontend, "docker.io/")
	named := strings.Contains(f.step, short) || strings.Contains(f.text, short) ||
		strings.Contains(f.text, strings.ReplaceAll(short, ":", "/manifests/"))
	return named && unreachable.MatchString(f.text)
}

// notUnderstood tells whether the engine could not parse the Dockerfile.
func (f *failure) notUnderstood() bool {
	text := strings.ToLower(f.text)
	return strings.Contains(text, "parse error") || strings.Contains(text, "unknown instruction") ||
		strings.Contains(text, "failed to parse")
}

// image is the base image that could not be had, or "".
func (f *failure) image() string {
	for _, m := range [][]string{metadata.FindStringSubmatch(f.step), requested.FindStringSubmatch(f.text)} {
		switch {
		case len(m) == 6 && m[1] != "":
			return familiar(m[1] + ":" + m[2])
		case len(m) > 1:
			for _, name := range m[1:] {
				if name != "" {
					return familiar(name)
				}
			}
		}
	}
	return ""
}

// familiar is an image's name as people write it.
func familiar(name string) string {
	name, _, _ = strings.Cut(name, "@")
	name = strings.TrimPrefix(name, "docker.io/")
	return strings.TrimPrefix(name, "library/")
}

// explain says what went wrong, where, and what to do about it.
func (f *failure) explain(dockerfile string) error {
	if name := f.image(); name != "" {
		if unreachable.MatchString(f.text) {
			return fault.New(fault.RunFailed, "the base image %s is not on this machine, and no registry could be reached to pull it", name).
				WithHint("connect to the network, load the image with docker load, or name one in the FROM line of %s that is there; --executor process needs no image", dockerfile)
		}
		if missing.MatchString(f.text) {
			return fault.New(fault.RunFailed, "the base image %s does not exist, or pulling it needs a login", name).
				WithHint("check the FROM lines of %s, or log in to the registry of the image", dockerfile)
		}
	}
	if f.notUnderstood() {
		return fault.New(fault.RunFailed, "%s cannot be read: %s", dockerfile, trimmed(f.text)).
			WithHint("correct the line; the engine's own Dockerfile reader decides what is allowed")
	}
	where := ""
	if f.step != "" && !strings.HasPrefix(f.step, "[internal]") {
		where = fmt.Sprintf(" at %s", f.step)
	}
	message := fmt.Sprintf("the image build failed%s: %s", where, trimmed(f.text))
	if len(f.tail) > 0 {
		message += "\n  " + strings.Join(f.tail, "\n  ")
	}
	return fault.New(fault.RunFailed, "%s", message).WithHint("%s", f.hint(dockerfile))
}

func (f *failure) hint(dockerfile string) string {
	noFile := copying.MatchString(f.step) && notThere.MatchString(f.text)
	for _, name := range neverSent {
		if noFile && regexp.MustCompile(`(^|[\s"/])`+regexp.QuoteMeta(name)+`($|[\s":/])`).MatchString(f.text) {
			return fmt.Sprintf("%s is left out of the build context; a line !%s in .dockerignore takes it in", name, name)
		}
	}
	if strings.Contains(f.text, "requires BuildKit") {
		return "this step needs BuildKit, which the engine does not have, or DOCKER_BUILDKIT=0 turns off"
	}
	if noFile {
		return fmt.Sprintf("the file that %s copies is not in the build context: check its path and .dockerignore", dockerfile)
	}
	if unreachable.MatchString(f.text + strings.Join(f.tail, "\n")) {
		return "a step needs the network, and it could not be reached"
	}
	return fmt.Sprintf("correct this step in %s or what it runs; --no-cache builds every step anew", dockerfile)
}

// prefixes say which part of the engine passed the error on.
var prefixes = []string{
	"Error response from daemon: ",
	"failed to solve with frontend dockerfile.v0: ",
	"failed to solve: ",
	"failed to create LLB definition: ",
	"rpc error: code = Unknown desc = ",
	"failed to read dockerfile: ",
}

func trimmed(text string) string {
	for again := true; again; {
		again = false
		for _, p := range prefixes {
			if rest, ok := strings.CutPrefix(text, p); ok {
				text, again = rest, true
			}
		}
	}
	return strings.TrimSpace(text)
}
