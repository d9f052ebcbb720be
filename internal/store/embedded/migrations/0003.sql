-- Who may read a storage without a token, and how much it was used. Of datasets
-- only the segments know how many bytes they have until they are next closed.
ALTER TABLE storage ADD COLUMN access TEXT NOT NULL DEFAULT '';
ALTER TABLE storage ADD COLUMN reads INTEGER NOT NULL DEFAULT 0;
ALTER TABLE storage ADD COLUMN writes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE storage ADD COLUMN deletes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE storage ADD COLUMN lists INTEGER NOT NULL DEFAULT 0;
ALTER TABLE storage ADD COLUMN heads INTEGER NOT NULL DEFAULT 0;
ALTER TABLE storage ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE storage SET bytes = (SELECT coalesce(sum(size), 0) FROM record WHERE record.storage = storage.key)
	WHERE kind = 'key-value store';
UPDATE storage SET bytes = (SELECT coalesce(sum(length(json)), 0) FROM request WHERE request.storage = storage.key)
	WHERE kind = 'request queue';
ALTER TABLE storage ADD COLUMN clean INTEGER NOT NULL DEFAULT 0; -- dataset: items with a field that is not hidden
UPDATE storage SET items = NULL WHERE kind = 'dataset';

-- What the first so many items of a dataset have in their fields.
CREATE TABLE summary (storage INTEGER PRIMARY KEY, items INTEGER NOT NULL, value BLOB NOT NULL);

-- How a record is compressed, and its size decompressed when it is.
ALTER TABLE record ADD COLUMN encoding TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN plain INTEGER;

-- Random bytes that only this server knows.
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
