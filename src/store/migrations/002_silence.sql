-- A file speaks or is silent: from journal record `by` on, file `seq` says nothing, since a newer file of its period speaks for
-- it or since it was read again. What it said before then stays said, for who asks how things stood.
CREATE TABLE silenced (
    seq INTEGER PRIMARY KEY REFERENCES file (seq),
    by  INTEGER NOT NULL REFERENCES journal (seq)
) STRICT;
CREATE TRIGGER silenced_appends BEFORE INSERT ON silenced
    WHEN EXISTS (SELECT 1 FROM silenced WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'a file falls silent once'); END;
CREATE TRIGGER silenced_keeps BEFORE UPDATE ON silenced
    BEGIN SELECT RAISE(ABORT, 'which files are silent is append-only'); END;
CREATE TRIGGER silenced_holds BEFORE DELETE ON silenced
    BEGIN SELECT RAISE(ABORT, 'which files are silent is append-only'); END;

-- The place of a file in the order of ingestion, where it is not its own seq: a file that was read again keeps its first.
ALTER TABLE file ADD COLUMN rank INTEGER;
CREATE INDEX file_ranked ON file (seq, rank) WHERE rank IS NOT NULL;
