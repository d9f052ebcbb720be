// Package task says what tasks are: what may be in one, and what their runs are
// given. Pure: no I/O.
package task

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Lengths of the names of tasks and schedules. Source: the platform's
// documentation of both.
const (
	minName = 3
	maxName = 63
)

// CheckName refuses what cannot be the name of a task, or of another thing as
// kind says that has the same rule.
func CheckName(kind, name string) error {
	if len(name) >= minName && store.ValidName(name) { // which knows the rest of the rule
		return nil
	}
	return invalid("the name of a %s must have %d to %d letters, digits and inner hyphens, got %.80q", kind, minName, maxName, name)
}

// FreeName gives base, or base with a number behind it, whichever is taken by
// nobody first.
func FreeName(base string, taken func(name string) (bool, error)) (string, error) {
	for n := 1; ; n++ {
		suffix := ""
		if n > 1 {
			suffix = "-" + strconv.Itoa(n)
		}
		name := strings.TrimRight(base[:min(len(base), maxName-len(suffix))], "-") + suffix
		if is, err := taken(name); err != nil || !is {
			return name, err
		}
	}
}

// Apply changes a task as u says; what u leaves out stays. The options and
// standby settings are changed field by field, where null takes a field away. It
// checks the result, but neither that the name is free nor that the Actor is
// there. A failure leaves t as it was.
func Apply(t *api.Task, u api.TaskUpdate) error {
	changed := *t
	if u.Name != nil {
		if err := CheckName("task", *u.Name); err != nil {
			return err
		}
		changed.Name = *u.Name
	}
	if u.Title != nil {
		changed.Title = u.Title
	}
	if u.Description != nil {
		changed.Description = u.Description
	}
	if given(u.Input) {
		input, err := Input(u.Input)
		if err != nil {
			return err
		}
		changed.Input = input
	}
	options, err := change("options", t.Options, u.Options)
	if err != nil {
		return err
	}
	if options != nil {
		if err := CheckOptions(*options); err != nil {
			return err
		}
	}
	standby, err := change("actorStandby", t.ActorStandby, u.ActorStandby)
	if err != nil {
		return err
	}
	public, err := change("publicConfig", t.PublicConfig, u.PublicConfig)
	if err != nil {
		return err
	}
	changed.Options, changed.ActorStandby, changed.PublicConfig = options, standby, public
	if u.IsPublic != nil {
		publish(&changed, *u.IsPublic)
	}
	*t = changed
	return nil
}

// publish notes when a task becomes public.
func publish(t *api.Task, public bool) {
	if public && !t.IsPublic {
		now := api.Now()
		config := api.TaskPublicConfig{}
		if t.PublicConfig != nil {
			config = *t.PublicConfig
		}
		config.PublishedAt = &now
		t.PublicConfig = &config
	}
	t.IsPublic = public
}

// change decodes text over a copy of what is there.
func change[T any](field string, present *T, text json.RawMessage) (*T, error) {
	if !given(text) {
		return present, nil
	}
	// The fields are pointers, which decoding writes through: the copy must not
	// share them.
	v := new(T)
	copied, err := json.Marshal(present)
	if err == nil {
		err = json.Unmarshal(copied, v)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the %s of a task cannot be copied", field)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return nil, invalid("field %s of the task is not what it should be: %w", field, err)
	}
	return v, nil
}

func given(text json.RawMessage) bool {
	return len(text) > 0 && !bytes.Equal(bytes.TrimSpace(text), []byte("null"))
}

// Input checks that text is an input that a task can have: a JSON object.
func Input(text json.RawMessage) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return nil, fault.New(fault.InvalidRequest, "the input of a task must be a JSON object").WithType("input-json-not-object")
	}
	return text, nil
}

// MergeInput lays the members of one object over those of another; either may be
// empty for none.
func MergeInput(under, over json.RawMessage) (json.RawMessage, error) {
	if !given(over) {
		return under, nil
	}
	if _, err := Input(over); err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{}
	for _, text := range []json.RawMessage{under, over} {
		if !given(text) {
			continue
		}
		if err := json.Unmarshal(text, &members); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "the input of a task cannot be read")
		}
	}
	var merged bytes.Buffer
	encoder := json.NewEncoder(&merged)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(members)
	return bytes.TrimSpace(merged.Bytes()), fault.Wrap(fault.Internal, err, "the input of a task cannot be written")
}

// MergeOptions gives the options of a call with those of the task where the call
// has none.
func MergeOptions(under *api.TaskOptions, over api.TaskOptions) api.TaskOptions {
	if under == nil {
		return over
	}
	return api.TaskOptions{
		Build: or(over.Build, under.Build), TimeoutSecs: or(over.TimeoutSecs, under.TimeoutSecs),
		MemoryMbytes: or(over.MemoryMbytes, under.MemoryMbytes), MaxItems: or(over.MaxItems, under.MaxItems),
		MaxTotalChargeUSD: or(over.MaxTotalChargeUSD, under.MaxTotalChargeUSD), RestartOnError: or(over.RestartOnError, under.RestartOnError),
	}
}

func or[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// CheckOptions refuses options that no run can have.
func CheckOptions(o api.TaskOptions) error {
	if o.MemoryMbytes != nil {
		if err := run.CheckMemory(*o.MemoryMbytes); err != nil {
			return err
		}
	}
	if o.TimeoutSecs != nil {
		if err := run.CheckTimeout(*o.TimeoutSecs); err != nil {
			return err
		}
	}
	if o.MaxItems != nil && *o.MaxItems < 1 {
		return fault.New(fault.InvalidRequest, "maxItems must be at least 1, got %d", *o.MaxItems).WithType("max-items-must-be-greater-than-zero")
	}
	if o.MaxTotalChargeUSD != nil && *o.MaxTotalChargeUSD <= 0 {
		return fault.New(fault.InvalidRequest, "maxTotalChargeUsd must be more than 0, got %g", *o.MaxTotalChargeUSD).
			WithType("max-total-charge-usd-must-be-greater-than-zero")
	}
	return nil
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...).WithType("invalid-value")
}
