package embedded

// syncFolder has nothing to do: NTFS journals names itself, and a folder cannot
// be flushed.
func syncFolder(string) error { return nil }
