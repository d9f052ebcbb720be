-- What objects are found by. "at" is in nanoseconds since 1970; fields is a JSON
-- object of the same pairs that object_field has, so that an update knows what
-- has changed without asking.
ALTER TABLE object ADD COLUMN uniq TEXT;
ALTER TABLE object ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE object ADD COLUMN fields TEXT NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX object_uniq ON object (kind, uniq) WHERE uniq IS NOT NULL;

-- num orders the objects of a field's value as they were created.
CREATE TABLE object_field (
	kind  TEXT NOT NULL,
	name  TEXT NOT NULL,
	value TEXT NOT NULL,
	num   INTEGER NOT NULL,
	PRIMARY KEY (kind, name, value, num)
) WITHOUT ROWID;
CREATE INDEX object_field_num ON object_field (num);
