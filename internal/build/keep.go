package build

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// instanceOf gives the id of the service that a directory belongs to, and makes
// both when they are not there.
func instanceOf(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the directory of builds cannot be made")
	}
	path := filepath.Join(dir, "instance")
	text, err := os.ReadFile(path)
	if err == nil && len(text) == store.IDLength {
		return string(text), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fault.Wrap(fault.Unavailable, err, "the directory of builds cannot be read")
	}
	id := store.NewID()
	return id, fault.Wrap(fault.Unavailable, os.WriteFile(path, []byte(id), 0o600), "the directory of builds cannot be written")
}

// unfinished are the statuses of what has not ended.
var unfinished = []string{
	string(api.StatusReady), string(api.StatusRunning), string(api.StatusTimingOut), string(api.StatusAborting),
}

// told is how many of the last builds are looked at after a restart: for events
// that may not have been told, and tags that may not have been set.
const told = 100

// Recover goes on where a service that is gone left off: builds that had not
// begun begin, those under way have failed, and the last events are told again.
// The caller guarantees that no other service works on the store.
func (s *Service) Recover(ctx context.Context) error {
	left, err := s.builds.Page(ctx, store.Query{Where: map[string][]string{store.ByStatus: unfinished}})
	if err != nil {
		return err
	}
	var waiting []string
	for _, b := range left.Items {
		if b.Status == api.StatusReady {
			waiting = append(waiting, b.ID)
			continue
		}
		status, message := api.StatusFailed, "ACTOR: ERROR: The server ended while the Actor was being built"
		if b.Status == api.StatusAborting {
			status, message = api.StatusAborted, "ACTOR: The build was aborted"
		}
		log, err := s.openLog(ctx, b.ID)
		if err != nil {
			return err
		}
		log.Say(message)
		log.End()
		if err := os.RemoveAll(s.dir(b.ID)); err != nil {
			s.cfg.Logger.Warn("the directory of a build that was interrupted stays", "build", b.ID, "error", err)
		}
		if _, err := s.builds.Update(ctx, b.ID, func(b *api.Build) error { end(b, status, 0); return nil }); err != nil {
			return err
		}
	}
	last, err := s.builds.Page(ctx, store.Query{Limit: told, Desc: true})
	if err != nil {
		return err
	}
	for i := len(last.Items) - 1; i >= 0; i-- {
		b := last.Items[i]
		if b.Status == api.StatusSucceeded {
			d, err := s.details.Get(ctx, b.ID)
			if err == nil {
				err = s.tag(ctx, b, d)
			}
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		s.tell(b)
	}
	for _, id := range waiting {
		if err := s.queue(id); err != nil {
			return err
		}
	}
	return nil
}

// Delete forgets a build that has ended, with its log and its image. The Actor's
// default build and one that runs still need stay.
func (s *Service) Delete(ctx context.Context, id string) error {
	b, err := s.builds.Get(ctx, id)
	if err != nil {
		return notFound(err, id)
	}
	if !b.Status.Terminal() {
		return fault.New(fault.InvalidRequest, "build %s has not finished", b.BuildNumber).
			WithType("deleting-unfinished-build").WithHint("abort it first")
	}
	if err := s.unused(ctx, store.ByBuild, id, "build "+b.BuildNumber); err != nil {
		return err
	}
	if err := s.cfg.Catalog.Untag(ctx, b); err != nil {
		return err
	}
	return s.remove(ctx, id)
}

// unused refuses what runs that have not ended need.
func (s *Service) unused(ctx context.Context, field, id, what string) error {
	runs, err := s.cfg.Store.Runs().Page(ctx, store.Query{
		Where: map[string][]string{field: {id}, store.ByStatus: unfinished}, Limit: 1,
	})
	if err == nil && runs.Total > 0 {
		err = fault.New(fault.InvalidRequest, "%s cannot be deleted: run %s of it has not finished", what, runs.Items[0].ID).
			WithType("operation-not-allowed").WithHint("abort the run, or wait for its end")
	}
	return err
}

// remove removes a build. Its record goes last, so that what fails can be tried
// again.
func (s *Service) remove(ctx context.Context, id string) error {
	d, err := s.details.Get(ctx, id)
	if err == nil {
		err = s.discard(ctx, d)
	}
	if err == nil || fault.Is(err, fault.NotFound) {
		err = s.details.Delete(ctx, id)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	s.programs.forget(id)
	if err := os.RemoveAll(s.dir(id)); err != nil {
		return fault.Wrap(fault.Internal, err, "the build's directory cannot be removed")
	}
	if err := s.cfg.Store.Logs().Delete(ctx, id); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	err = s.builds.Delete(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// discard removes what a build was made into. An image that is still in use goes
// when it is not, and so does one of an engine that does not answer now.
func (s *Service) discard(ctx context.Context, d detail) error {
	if target := s.cfg.Targets[d.Target]; d.Result.Image != "" && target.Images != nil {
		if _, err := target.Images.Remove(ctx, d.Result.Image); err != nil && !fault.Is(err, fault.Unavailable) {
			return err
		}
	}
	return nil
}

// DeleteActor forgets an Actor with its versions and builds. One whose runs have
// not ended stays.
func (s *Service) DeleteActor(ctx context.Context, ref string) error {
	a, err := s.cfg.Catalog.Actor(ctx, ref)
	if err != nil {
		return err
	}
	if err := s.unused(ctx, store.ByActor, a.ID, "the Actor "+a.Name); err != nil {
		return err
	}
	if err := s.cfg.Catalog.Delete(ctx, a.ID); err != nil {
		return err
	}
	builds, err := s.builds.Page(ctx, store.Query{Where: map[string][]string{store.ByActor: {a.ID}}})
	if err != nil {
		return err
	}
	for _, b := range builds.Items {
		if active := s.lookup(b.ID); active != nil {
			active.cancel(errAborted)
			<-active.done
		}
		if err := s.remove(ctx, b.ID); err != nil {
			return err
		}
	}
	return nil
}

// sweepEvery is how often what nobody needs is looked for.
const sweepEvery = 6 * time.Hour

// Sweep removes what nobody needs, now and every few hours until the service is
// closed: images and directories without a build, builds without an Actor, and
// builds that no tag names and no run has used for as long as they are kept.
func (s *Service) Sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.working.Add(1)
	go func() {
		defer s.working.Done()
		ticker := time.NewTicker(sweepEvery)
		defer ticker.Stop()
		for {
			if err := s.sweep(s.stop, time.Now()); err != nil && s.stop.Err() == nil {
				s.cfg.Logger.Warn("looking for builds that nobody needs", "error", err)
			}
			select {
			case <-ticker.C:
			case <-s.stop.Done():
				return
			}
		}
	}()
}

func (s *Service) sweep(ctx context.Context, now time.Time) error {
	var errs []error
	old, err := s.builds.Page(ctx, store.Query{Before: now.Add(-s.cfg.Keep)})
	errs = append(errs, err)
	for _, b := range old.Items {
		errs = append(errs, s.dropOld(ctx, b, now))
	}
	entries, err := os.ReadDir(s.cfg.Dir)
	errs = append(errs, err)
	for _, entry := range entries {
		if gone, err := s.gone(ctx, entry.Name()); entry.IsDir() && gone && err == nil {
			errs = append(errs, os.RemoveAll(s.dir(entry.Name())))
		}
	}
	for _, target := range s.cfg.Targets {
		if target.Images == nil {
			continue
		}
		images, err := target.Images.Labelled(ctx, instanceLabel, s.instance)
		errs = append(errs, err)
		for id, labels := range images {
			if gone, err := s.gone(ctx, labels[buildLabel]); gone && err == nil {
				_, err = target.Images.Remove(ctx, id)
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// gone tells whether there is no build of that id.
func (s *Service) gone(ctx context.Context, id string) (bool, error) {
	_, err := s.builds.Get(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return false, err
}

// dropOld removes an old build if nobody needs it.
func (s *Service) dropOld(ctx context.Context, b api.Build, now time.Time) error {
	if !b.Status.Terminal() {
		return nil
	}
	a, err := s.cfg.Catalog.Actor(ctx, b.ActorID)
	if fault.Is(err, fault.NotFound) {
		return s.remove(ctx, b.ID)
	}
	if err != nil || a.DefaultRunOptions.Build == b.BuildNumber {
		return err
	}
	for _, t := range a.TaggedBuilds {
		if t != nil && t.BuildID == b.ID {
			return nil
		}
	}
	used, err := s.cfg.Store.Runs().Page(ctx, store.Query{
		Where: map[string][]string{store.ByBuild: {b.ID}}, After: now.Add(-s.cfg.Keep), Limit: 1,
	})
	if err != nil || used.Total > 0 {
		return err
	}
	if err := s.unused(ctx, store.ByBuild, b.ID, "the build"); err != nil {
		return nil // a run that has been going on for as long
	}
	return s.remove(ctx, b.ID)
}
