package image

import (
	"context"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// Name is what an image of an Actor's build is called: readable, and different
// for Actors of the same name.
func Name(actorName, actorID, buildNumber string) string {
	return "greenroom/" + repositoryName(actorName) + "-" + shortHash(actorID, 8) + ":" + buildNumber
}

// Labelled gives the images that have a label of that name and value: their
// labels by their ids.
func (b *Builder) Labelled(ctx context.Context, name, value string) (map[string]map[string]string, error) {
	found, err := b.cli.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", name+"="+value))})
	if err != nil {
		return nil, engineError(err)
	}
	images := map[string]map[string]string{}
	for _, i := range found {
		images[i.ID] = i.Labels
	}
	return images, nil
}

// Remove removes an image by its id, with all its names. One that a container
// still uses stays, and used tells so; one that is gone is no error.
func (b *Builder) Remove(ctx context.Context, id string) (used bool, err error) {
	found, err := b.inspect(ctx, id)
	if err != nil || found == nil {
		return false, err
	}
	for _, name := range append(found.RepoTags, id) {
		_, err = b.cli.ImageRemove(ctx, name, image.RemoveOptions{PruneChildren: true})
		switch {
		case err == nil || cerrdefs.IsNotFound(err):
		case cerrdefs.IsConflict(err):
			return true, nil
		default:
			return false, engineError(err)
		}
	}
	return false, nil
}
