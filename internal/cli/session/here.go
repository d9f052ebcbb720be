package session

import (
	"cmp"
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// ActorHere gives the Actor that the arguments name, or, when there are none, the
// caller's Actor with the name of the definition in this directory.
func (s *Session) ActorHere(ctx context.Context, c *client.Client, args []string) (client.Answer[api.Actor], error) {
	if len(args) > 0 && args[0] != "" {
		return s.Actor(ctx, c, args[0])
	}
	name, err := nameHere()
	if err != nil {
		return client.Answer[api.Actor]{}, err
	}
	me, err := c.Me(ctx)
	if err != nil {
		return client.Answer[api.Actor]{}, err
	}
	actor, err := c.Actor(me.Value.Username + "/" + name).Get(ctx)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, "the Actor of this directory, %s/%s, was not found at %s", me.Value.Username, name, c.BaseURL()).
			WithHint("send it there with apify push, or name another one")
	}
	return actor, err
}

func nameHere() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "finding the current directory")
	}
	here, err := definition.Load(dir)
	if err != nil {
		return "", err
	}
	if here.File == "" {
		return "", fault.New(fault.Usage, "no Actor is named, and there is no .actor/actor.json in this directory").
			WithHint("give the Actor's id or USERNAME/NAME")
	}
	return here.Name, nil
}

// CompareVersions orders MAJOR.MINOR numbers as such.
func CompareVersions(a, b string) int {
	majorA, minorA := versionParts(a)
	majorB, minorB := versionParts(b)
	return cmp.Or(cmp.Compare(majorA, majorB), cmp.Compare(minorA, minorB))
}

func versionParts(version string) (major, minor int) {
	first, second, _ := strings.Cut(version, ".")
	major, _ = strconv.Atoi(first) // what is no number comes first
	minor, _ = strconv.Atoi(second)
	return major, minor
}
