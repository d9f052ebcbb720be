package schedule

import (
	"errors"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func asFault(err error, into **fault.Error) bool { return errors.As(err, into) }
