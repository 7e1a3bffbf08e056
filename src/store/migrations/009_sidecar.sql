-- The control totals that came beside a file: which bytes they were, and by what a look knows them again.
CREATE TABLE sidecar (
    seq    INTEGER PRIMARY KEY REFERENCES file (seq),
    name   TEXT NOT NULL,
    size   INTEGER NOT NULL,
    mtime  INTEGER,
    sha256 TEXT NOT NULL
) STRICT;
