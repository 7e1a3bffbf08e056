-- What each sales file moved when it was taken: worked out from the facts, kept so that it can be shown. Amounts as written,
-- of currencies together.
CREATE TABLE moved (
    seq               INTEGER PRIMARY KEY REFERENCES file (seq),
    new_lines         INTEGER NOT NULL,
    new_amount        TEXT NOT NULL,
    superseded_lines  INTEGER NOT NULL,
    superseded_before TEXT NOT NULL,
    superseded_after  TEXT NOT NULL,
    voided_lines      INTEGER NOT NULL,
    voided_amount     TEXT NOT NULL,
    gone_lines        INTEGER NOT NULL, -- it came before with these lines; they stay in force
    gone_amount       TEXT NOT NULL,
    older_than        INTEGER REFERENCES file (seq) -- a newer export by its mtime, of which this one supersedes or replaces something
) STRICT;
