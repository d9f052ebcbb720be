-- Objects of a time, such as the runs that were started since yesterday.
CREATE INDEX object_at ON object (kind, at);
