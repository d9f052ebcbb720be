-- Times are nanoseconds since 1970 unless their name says otherwise.

-- One row per dataset, key-value store and request queue. A deleted one stays,
-- without a name, until what it held is gone.
CREATE TABLE storage (
	key         INTEGER PRIMARY KEY AUTOINCREMENT,
	kind        TEXT NOT NULL,
	id          TEXT NOT NULL,
	name        TEXT NOT NULL,
	folded      TEXT NOT NULL, -- the name in lower case
	actor       TEXT NOT NULL,
	run         TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	modified_at INTEGER NOT NULL,
	accessed_at INTEGER NOT NULL,
	schema      BLOB,
	deleted     INTEGER NOT NULL DEFAULT 0,
	items       INTEGER,                    -- dataset: NULL while only the segments know
	total       INTEGER NOT NULL DEFAULT 0, -- request queue
	handled     INTEGER NOT NULL DEFAULT 0,
	last_place  INTEGER NOT NULL DEFAULT 0,
	clients     INTEGER NOT NULL DEFAULT 0  -- more than one was seen
);
CREATE UNIQUE INDEX storage_id ON storage (kind, id) WHERE deleted = 0;
CREATE UNIQUE INDEX storage_name ON storage (kind, folded) WHERE deleted = 0 AND folded <> '';
CREATE INDEX storage_created ON storage (kind, created_at, id) WHERE deleted = 0;
CREATE INDEX storage_deleted ON storage (key) WHERE deleted <> 0;

-- Records of key-value stores. Small ones are in here, others have a file.
CREATE TABLE record (
	storage      INTEGER NOT NULL,
	key          TEXT NOT NULL,
	content_type TEXT NOT NULL,
	size         INTEGER NOT NULL,
	modified_at  INTEGER NOT NULL,
	file         TEXT,
	small        BLOB,
	PRIMARY KEY (storage, key)
) WITHOUT ROWID;
CREATE INDEX record_file ON record (file) WHERE file IS NOT NULL;

-- Files that nothing refers to any more and that are still to be removed.
CREATE TABLE trash (file TEXT PRIMARY KEY) WITHOUT ROWID;

-- Requests. place orders the unhandled ones; handled ones have none. See the
-- package queue for what it means.
CREATE TABLE request (
	num         INTEGER PRIMARY KEY,
	storage     INTEGER NOT NULL,
	id          TEXT NOT NULL,
	place       INTEGER,
	before      INTEGER NOT NULL DEFAULT 0, -- the place before the lock
	client      TEXT NOT NULL DEFAULT '',
	run         TEXT NOT NULL DEFAULT '',
	unique_key  TEXT NOT NULL,
	url         TEXT NOT NULL,
	method      TEXT NOT NULL,
	retry_count INTEGER NOT NULL,
	handled_at  INTEGER,
	json        BLOB NOT NULL
);
CREATE UNIQUE INDEX request_id ON request (storage, id);
CREATE INDEX request_place ON request (storage, place) WHERE place IS NOT NULL;

-- Runs and builds, in the order of their creation.
CREATE TABLE object (
	num   INTEGER PRIMARY KEY AUTOINCREMENT,
	kind  TEXT NOT NULL,
	id    TEXT NOT NULL,
	value BLOB NOT NULL
);
CREATE UNIQUE INDEX object_id ON object (kind, id);
CREATE INDEX object_order ON object (kind, num);

-- What is known about the directory itself: "clean" is 1 while nobody uses it.
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES ('clean', 1);
