package disk

// SyncFolder has nothing to do: NTFS journals names itself, and a folder cannot
// be flushed.
func SyncFolder(string) error { return nil }
