package keyvalue

import (
	"fmt"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Invalid is the error.data of a record that was rejected.
type Invalid struct {
	Collection string `json:"collection"`
	Key        string `json:"key"`
	// ContentType and AllowedContentTypes are set when the record's type is
	// what is wrong, ValidationErrors when its content is.
	ContentType         string             `json:"contentType,omitempty"`
	AllowedContentTypes []string           `json:"allowedContentTypes,omitempty"`
	ValidationErrors    []jsonschema.Error `json:"validationErrors,omitempty"`
}

// NeedsBody reports whether CheckRecord must see what is to be stored under the
// key; otherwise the content type is enough.
func (s *Schema) NeedsBody(key string) bool {
	for _, c := range s.collections {
		if c.value != nil && c.Matches(key) {
			return true
		}
	}
	return false
}

// CheckRecord judges a record that is to be stored; body may be nil where
// NeedsBody is false. It gives nil, or a fault.InvalidInput of type
// schema-validation-failed whose Data is an Invalid.
//
// A record that belongs to several collections must match all of them: who reads
// a collection relies on what it promises. Parameters of content types, such as
// charset, do not count. No key is exempt: the platform documents none, and what
// it stores itself, such as the input, does not come this way.
func (s *Schema) CheckRecord(key, contentType string, body []byte) error {
	for _, c := range s.collections {
		if !c.Matches(key) {
			continue
		}
		if err := c.checkType(key, contentType); err != nil {
			return err
		}
		if err := c.checkValue(key, body); err != nil {
			return err
		}
	}
	return nil
}

func (c Collection) checkType(key, contentType string) error {
	if len(c.ContentTypes) == 0 {
		return nil
	}
	if contentType == "" { // what a record without a type counts as
		contentType = "application/octet-stream"
	}
	for _, allowed := range c.ContentTypes {
		if allows(allowed, contentType) {
			return nil
		}
	}
	return c.reject(Invalid{Key: key, ContentType: contentType, AllowedContentTypes: c.ContentTypes},
		"the record %q cannot have the content type %q: the collection %q allows %s",
		key, contentType, c.Name, strings.Join(c.ContentTypes, ", "))
}

func (c Collection) checkValue(key string, body []byte) error {
	if c.value == nil {
		return nil
	}
	doc, err := jsonc.ParseStrict("the record", body)
	if err != nil {
		return c.reject(Invalid{Key: key}, "the record %q of the collection %q must be JSON: %v", key, c.Name, err)
	}
	errors := c.value.Validate(doc.Root)
	if len(errors) == 0 {
		return nil
	}
	text := fmt.Sprintf("%s %s", shape.Name(errors[0].InstancePath), errors[0].Message)
	if errors[0].InstancePath == "" {
		text = "it " + errors[0].Message
	}
	if more := len(errors) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return c.reject(Invalid{Key: key, ValidationErrors: errors},
		"the record %q does not match the JSON schema of the collection %q: %s", key, c.Name, text)
}

func (c Collection) reject(data Invalid, format string, args ...any) error {
	data.Collection = c.Name
	problem := fault.New(fault.InvalidInput, format, args...).WithType("schema-validation-failed")
	problem.Data = data
	return problem
}

// allows reports whether a content type is of the allowed one, which may be a
// wildcard such as image/*.
func allows(allowed, contentType string) bool {
	allowed, contentType = bare(allowed), bare(contentType)
	if group, ok := strings.CutSuffix(allowed, "/*"); ok {
		return group == "*" || strings.HasPrefix(contentType, group+"/")
	}
	return allowed == contentType
}

// bare is a content type without its parameters.
func bare(contentType string) string {
	contentType, _, _ = strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(contentType))
}
