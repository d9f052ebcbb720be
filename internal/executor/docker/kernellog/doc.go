// Package kernellog reads what the kernel tells about processes that it has
// ended for lack of memory.
package kernellog
