-- For whoever watches from outside. Sums of what only grows, up to the journal record and the ledger entry under 'upto': worked
-- out, and kept only to be quick. What was measured of the last run is kept for being told, and nothing rests on it.
CREATE TABLE tally (
    what  TEXT NOT NULL,
    one   TEXT NOT NULL,
    other TEXT NOT NULL,
    sum   INTEGER NOT NULL,
    PRIMARY KEY (what, one, other)
) STRICT, WITHOUT ROWID;
CREATE TABLE measured (
    what  TEXT NOT NULL,
    part  TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (what, part)
) STRICT, WITHOUT ROWID;
