package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Objects keeps the records of one kind as JSON texts, with what they can be
// found by. Most callers want Records, which know what is in the texts.
type Objects interface {
	// Create stores a new object; an id that exists is fault.Conflict, and so is
	// a Unique that another object of the kind has.
	Create(ctx context.Context, o Object) error
	Get(ctx context.Context, id string) (json.RawMessage, error)
	// Update gives the present text to change and stores what it returns, whose
	// ID does not count, with no other update in between. An error of change
	// stores nothing.
	Update(ctx context.Context, id string, change func(json.RawMessage) (Object, error)) error
	Delete(ctx context.Context, id string) error
	// Find gives the objects that q selects, in the order of their creation. It
	// costs the page, not the kind.
	Find(ctx context.Context, q Query) (Page[json.RawMessage], error)
}

// Object is one record with what it is found by.
type Object struct {
	ID   string
	JSON json.RawMessage
	Index
}

// Index is what a record is found by.
type Index struct {
	// Unique is a text that no two records of a kind share; "" for none.
	Unique string
	// At is the moment that Query's After and Before look at.
	At time.Time
	// Fields are what Query.Where asks for. Empty values need not be there.
	Fields map[string]string
}

// Query selects records.
type Query struct {
	// Unique, when it is not empty, selects the one record that has it.
	Unique string
	// Where selects records that have, for every field named, one of the values.
	// An empty list selects nothing.
	Where map[string][]string
	// After and Before bound Index.At, bounds included. A zero time is no bound.
	After, Before time.Time
	// Offset and Limit cut a page out of what is selected, from the newest one on
	// with Desc. A Limit of 0 is none.
	Offset, Limit int
	Desc          bool
}

// Page is a page of what a query selects. Total counts all of it.
type Page[T any] struct {
	Total int
	Items []T
}

// Kind says of the records of a kind how they are called and found.
type Kind[T any] struct {
	// Name is the kind and the word for one record of it, such as "run".
	Name string
	// Index gives what a record is found by; nil for records that are found by
	// their ids alone.
	Index func(T) Index
}

// Records keeps values of one kind by id. Use RecordsOf to get it.
type Records[T any] struct {
	objects Objects
	kind    Kind[T]
}

// RecordsOf gives the records of a kind that root keeps.
func RecordsOf[T any](root interface{ Objects(kind string) Objects }, kind Kind[T]) Records[T] {
	return Records[T]{root.Objects(kind.Name), kind}
}

func (r Records[T]) object(id string, v T) (Object, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return Object{}, fault.Wrap(fault.Internal, err, "write %s %q", r.kind.Name, id)
	}
	o := Object{ID: id, JSON: text}
	if r.kind.Index != nil {
		o.Index = r.kind.Index(v)
	}
	return o, nil
}

func (r Records[T]) value(text json.RawMessage) (v T, err error) {
	err = json.Unmarshal(text, &v)
	return v, fault.Wrap(fault.Internal, err, "read a %s", r.kind.Name)
}

// Create stores a new record; an id that exists is fault.Conflict, and so is an
// Index.Unique that another record has.
func (r Records[T]) Create(ctx context.Context, id string, v T) error {
	o, err := r.object(id, v)
	if err != nil {
		return err
	}
	return r.objects.Create(ctx, o)
}

// Get reads a record.
func (r Records[T]) Get(ctx context.Context, id string) (v T, err error) {
	text, err := r.objects.Get(ctx, id)
	if err != nil {
		return v, err
	}
	return r.value(text)
}

// Update applies change to the present record and stores the result, with no
// other update in between. An error of change stores nothing.
func (r Records[T]) Update(ctx context.Context, id string, change func(*T) error) (T, error) {
	var changed, none T
	err := r.objects.Update(ctx, id, func(text json.RawMessage) (Object, error) {
		v, err := r.value(text)
		if err == nil {
			err = change(&v)
		}
		if err != nil {
			return Object{}, err
		}
		changed = v
		return r.object(id, v)
	})
	if err != nil {
		return none, err
	}
	return changed, nil
}

// Delete removes a record.
func (r Records[T]) Delete(ctx context.Context, id string) error { return r.objects.Delete(ctx, id) }

// List gives all records in the order of their creation.
func (r Records[T]) List(ctx context.Context) ([]T, error) {
	page, err := r.Page(ctx, Query{})
	return page.Items, err
}

// Page gives the records that q selects.
func (r Records[T]) Page(ctx context.Context, q Query) (Page[T], error) {
	found, err := r.objects.Find(ctx, q)
	if err != nil {
		return Page[T]{}, err
	}
	page := Page[T]{Total: found.Total, Items: make([]T, len(found.Items))}
	for i, text := range found.Items {
		if page.Items[i], err = r.value(text); err != nil {
			return Page[T]{}, err
		}
	}
	return page, nil
}

// First gives the first record that q selects; none is fault.NotFound.
func (r Records[T]) First(ctx context.Context, q Query) (v T, err error) {
	q.Limit = 1
	page, err := r.Page(ctx, q)
	if err == nil && len(page.Items) == 0 {
		err = fault.New(fault.NotFound, "there is no such %s", r.kind.Name)
	}
	if err != nil {
		return v, err
	}
	return page.Items[0], nil
}

// Fields that runs and builds are found by.
const (
	ByActor    = "actor"
	ByTask     = "task"
	ByStatus   = "status"
	ByOrigin   = "origin"
	BySchedule = "schedule"
	ByBuild    = "build"
)

// RunKind is the kind of runs: At is when they started.
var RunKind = Kind[api.Run]{Name: "run", Index: func(r api.Run) Index {
	fields := map[string]string{
		ByActor: r.ActorID, ByStatus: string(r.Status), ByOrigin: r.Meta.Origin, BySchedule: r.Meta.ScheduleID, ByBuild: r.BuildID,
	}
	if r.ActorTaskID != nil {
		fields[ByTask] = *r.ActorTaskID
	}
	return Index{At: r.StartedAt.Time, Fields: fields}
}}

// BuildKind is the kind of builds: At is when they started, and an Actor has no
// two of the same number.
var BuildKind = Kind[api.Build]{Name: "build", Index: func(b api.Build) Index {
	index := Index{At: b.StartedAt.Time, Fields: map[string]string{ByActor: b.ActorID, ByStatus: string(b.Status)}}
	if b.ActorID != "" && b.BuildNumber != "" {
		index.Unique = b.ActorID + " " + b.BuildNumber
	}
	return index
}}
