package store

// Totals are what the storages of a kind come to.
type Totals struct {
	Storages int
	Bytes    int64 // of what they hold, as far as it is known

	Items             int // of datasets
	Requests, Handled int // of request queues
}
