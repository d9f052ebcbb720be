package actor

import "golang.org/x/sys/unix"

// systemMemory counts free and speculative pages as free; what else the kernel
// could reclaim it does not tell without Mach calls.
func systemMemory() (total, free uint64, err error) {
	total, err = unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0, 0, unreadable(err)
	}
	pages, err := unix.SysctlUint32("vm.page_free_count")
	if err != nil {
		return 0, 0, unreadable(err)
	}
	if speculative, err := unix.SysctlUint32("vm.page_speculative_count"); err == nil {
		pages += speculative
	}
	if purgeable, err := unix.SysctlUint32("vm.page_purgeable_count"); err == nil {
		pages += purgeable
	}
	return total, uint64(pages) * uint64(unix.Getpagesize()), nil
}
