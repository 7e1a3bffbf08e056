-- Of which line a rejected row was, as far as it could be told; NULL where it could not.
ALTER TABLE reject ADD COLUMN issuer INTEGER;
ALTER TABLE reject ADD COLUMN number TEXT;
ALTER TABLE reject ADD COLUMN line_no TEXT;

-- Rejects that wait no longer, since journal record `by`: their line was accepted later, or a person has discarded them. (Those of
-- a silent file wait no longer either.)
CREATE TABLE reject_closed (
    id  INTEGER PRIMARY KEY REFERENCES reject (id),
    by  INTEGER NOT NULL REFERENCES journal (seq),
    how TEXT NOT NULL CHECK (how IN ('accepted', 'discarded'))
) STRICT;
