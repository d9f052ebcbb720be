//go:build !linux

package kernellog

// Path is nowhere: engines run in virtual machines here.
const Path = ""

func OutOfMemory(string, string) bool { return false }
