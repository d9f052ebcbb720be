package actor

import "github.com/greenroom-dev/greenroom/pkg/fault"

// Memory is how much memory a program has, in bytes. FreeBytes is what can be
// had without anything being swapped out or killed.
type Memory struct {
	TotalBytes uint64 `json:"totalBytes"`
	UsedBytes  uint64 `json:"usedBytes"`
	FreeBytes  uint64 `json:"freeBytes"`
}

// MemoryInfo measures the memory of the container, or of the machine where no
// container limits it. On a system that does not tell it is
// fault.NotImplemented.
func MemoryInfo() (Memory, error) {
	total, free, err := systemMemory()
	if err != nil {
		return Memory{}, err
	}
	free = min(free, total)
	return Memory{TotalBytes: total, UsedBytes: total - free, FreeBytes: free}, nil
}

func unreadable(err error) error {
	return fault.Wrap(fault.Internal, err, "read how much memory there is")
}
