package api

import "encoding/json"

// StorageStats tell how much a storage was used. What a kind of storage does not
// count is nil. Sizes are in bytes.
type StorageStats struct {
	ReadCount         int    `json:"readCount"`
	WriteCount        int    `json:"writeCount"`
	DeleteCount       *int   `json:"deleteCount,omitempty"`
	ListCount         *int   `json:"listCount,omitempty"`
	HeadItemReadCount *int   `json:"headItemReadCount,omitempty"`
	StorageBytes      *int64 `json:"storageBytes,omitempty"`
	InflatedBytes     *int64 `json:"inflatedBytes,omitempty"`
}

// Dataset is the metadata of a dataset.
type Dataset struct {
	ID             string          `json:"id"`
	Name           *string         `json:"name"`
	UserID         string          `json:"userId"`
	Username       string          `json:"username,omitempty"`
	CreatedAt      Time            `json:"createdAt"`
	ModifiedAt     Time            `json:"modifiedAt"`
	AccessedAt     Time            `json:"accessedAt"`
	ItemCount      int             `json:"itemCount"`
	CleanItemCount int             `json:"cleanItemCount"`
	ActorID        *string         `json:"actId"`
	ActorRunID     *string         `json:"actRunId"`
	Fields         []string        `json:"fields,omitempty"`
	Schema         json.RawMessage `json:"schema,omitempty"`
	ConsoleURL     string          `json:"consoleUrl"`
	ItemsPublicURL string          `json:"itemsPublicUrl,omitempty"`
	// URLSigningSecretKey is there for those who may write.
	URLSigningSecretKey string        `json:"urlSigningSecretKey,omitempty"`
	GeneralAccess       string        `json:"generalAccess,omitempty"`
	Stats               *StorageStats `json:"stats,omitempty"`
}

// DatasetStatistics tell what is in the fields of a dataset's items, by name.
type DatasetStatistics struct {
	FieldStatistics map[string]FieldStatistics `json:"fieldStatistics"`
}

// FieldStatistics tell what the items have in a field: the range of numbers, or
// of the lengths of what has one; nil when there was none of these. EmptyCount
// counts the items without the field.
type FieldStatistics struct {
	Min        *float64 `json:"min"`
	Max        *float64 `json:"max"`
	NullCount  int      `json:"nullCount"`
	EmptyCount int      `json:"emptyCount"`
}

// KeyValueStore is the metadata of a key-value store.
type KeyValueStore struct {
	ID            string          `json:"id"`
	Name          *string         `json:"name"`
	UserID        string          `json:"userId"`
	Username      string          `json:"username,omitempty"`
	CreatedAt     Time            `json:"createdAt"`
	ModifiedAt    Time            `json:"modifiedAt"`
	AccessedAt    Time            `json:"accessedAt"`
	ActorID       *string         `json:"actId"`
	ActorRunID    *string         `json:"actRunId"`
	Schema        json.RawMessage `json:"schema,omitempty"`
	ConsoleURL    string          `json:"consoleUrl"`
	KeysPublicURL string          `json:"keysPublicUrl,omitempty"`
	// RecordsPublicURL is a ZIP archive of all records.
	RecordsPublicURL string `json:"recordsPublicUrl,omitempty"`
	// URLSigningSecretKey is there for those who may write.
	URLSigningSecretKey string        `json:"urlSigningSecretKey,omitempty"`
	GeneralAccess       string        `json:"generalAccess,omitempty"`
	Stats               *StorageStats `json:"stats,omitempty"`
}

// ListOfKeys is one page of a store's keys. NextExclusiveStartKey is null on the
// last page and never absent: the JavaScript client loops for ever otherwise.
type ListOfKeys struct {
	Items                 []Key   `json:"items"`
	Count                 int     `json:"count"`
	Limit                 int     `json:"limit"`
	ExclusiveStartKey     *string `json:"exclusiveStartKey"`
	IsTruncated           bool    `json:"isTruncated"`
	NextExclusiveStartKey *string `json:"nextExclusiveStartKey"`
}

// Key is one key of a listing; Size is in bytes.
type Key struct {
	Key             string `json:"key"`
	Size            int64  `json:"size"`
	RecordPublicURL string `json:"recordPublicUrl"`
}

// RequestQueue is the metadata of a request queue.
type RequestQueue struct {
	ID                  string  `json:"id"`
	Name                *string `json:"name"`
	UserID              string  `json:"userId"`
	Username            string  `json:"username,omitempty"`
	CreatedAt           Time    `json:"createdAt"`
	ModifiedAt          Time    `json:"modifiedAt"`
	AccessedAt          Time    `json:"accessedAt"`
	ActorID             *string `json:"actId"`
	ActorRunID          *string `json:"actRunId"`
	TotalRequestCount   int     `json:"totalRequestCount"`
	HandledRequestCount int     `json:"handledRequestCount"`
	PendingRequestCount int     `json:"pendingRequestCount"`
	HadMultipleClients  bool    `json:"hadMultipleClients"`
	ConsoleURL          string  `json:"consoleUrl"`
	GeneralAccess       string  `json:"generalAccess,omitempty"`

	Stats *StorageStats `json:"stats,omitempty"`
}

// QueueHead is the front of a queue.
type QueueHead struct {
	Limit              int           `json:"limit"`
	QueueModifiedAt    Time          `json:"queueModifiedAt"`
	HadMultipleClients bool          `json:"hadMultipleClients"`
	Items              []HeadRequest `json:"items"`
}

// LockedQueueHead is the front of a queue with every item locked for the caller.
type LockedQueueHead struct {
	Limit                  int           `json:"limit"`
	QueueModifiedAt        Time          `json:"queueModifiedAt"`
	HadMultipleClients     bool          `json:"hadMultipleClients"`
	LockSecs               int           `json:"lockSecs"`
	ClientKey              string        `json:"clientKey,omitempty"`
	QueueHasLockedRequests bool          `json:"queueHasLockedRequests"`
	Items                  []HeadRequest `json:"items"`
}

// HeadRequest is a request in a queue's head. LockExpiresAt is there in locked
// heads only.
type HeadRequest struct {
	ID            string `json:"id"`
	UniqueKey     string `json:"uniqueKey"`
	URL           string `json:"url"`
	Method        string `json:"method"`
	RetryCount    int    `json:"retryCount"`
	LockExpiresAt *Time  `json:"lockExpiresAt,omitempty"`
}

// RequestRegistration answers an add or an update of one request.
// WasAlreadyHandled is the state before an update.
type RequestRegistration struct {
	RequestID         string `json:"requestId"`
	UniqueKey         string `json:"uniqueKey,omitempty"`
	WasAlreadyPresent bool   `json:"wasAlreadyPresent"`
	WasAlreadyHandled bool   `json:"wasAlreadyHandled"`
}

// BatchAddResult answers a batch add. Both lists are always present.
type BatchAddResult struct {
	ProcessedRequests   []RequestRegistration `json:"processedRequests"`
	UnprocessedRequests []RequestDraft        `json:"unprocessedRequests"`
}

// RequestDraft names a request that was not processed.
type RequestDraft struct {
	ID        string `json:"id,omitempty"`
	UniqueKey string `json:"uniqueKey"`
	URL       string `json:"url,omitempty"`
	Method    string `json:"method,omitempty"`
}

// UnlockResult answers the release of all locks of a client.
type UnlockResult struct {
	UnlockedCount int `json:"unlockedCount"`
}

// LockInfo answers the prolongation of a lock.
type LockInfo struct {
	LockExpiresAt Time `json:"lockExpiresAt"`
}

// ListOfRequests is one page of a queue's requests. NextCursor is absent on the
// last page; the requests are as GetRequest gives them.
type ListOfRequests struct {
	Items            []json.RawMessage `json:"items"`
	Limit            int               `json:"limit"`
	ExclusiveStartID string            `json:"exclusiveStartId,omitempty"`
	Cursor           string            `json:"cursor,omitempty"`
	NextCursor       string            `json:"nextCursor,omitempty"`
}

// BatchDeleteResult answers a batch delete. Both lists are always present.
type BatchDeleteResult struct {
	ProcessedRequests   []DeletedRequest `json:"processedRequests"`
	UnprocessedRequests []RequestDraft   `json:"unprocessedRequests"`
}

// DeletedRequest names a request that was deleted, as the caller named it.
type DeletedRequest struct {
	ID        string `json:"id,omitempty"`
	UniqueKey string `json:"uniqueKey,omitempty"`
}

// StorageUpdate is the body of PUT on a storage. Name is absent to leave the
// name as it is, and null to take it away.
type StorageUpdate struct {
	Name          json.RawMessage `json:"name,omitempty"`
	GeneralAccess string          `json:"generalAccess,omitempty"`
}
