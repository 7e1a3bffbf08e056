-- Files that were pushed out: to which push, where that was, and what they held. The journal's record tells when.
CREATE TABLE pushed (
    push   TEXT NOT NULL,
    place  TEXT NOT NULL,
    path   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size   INTEGER NOT NULL,
    seq    INTEGER NOT NULL REFERENCES journal (seq),
    PRIMARY KEY (push, place, path)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER pushed_appends BEFORE INSERT ON pushed
    WHEN EXISTS (SELECT 1 FROM pushed WHERE push = NEW.push AND place = NEW.place AND path = NEW.path)
    BEGIN SELECT RAISE(ABORT, 'a file is pushed once'); END;
CREATE TRIGGER pushed_keeps BEFORE UPDATE ON pushed
    BEGIN SELECT RAISE(ABORT, 'what was pushed is append-only'); END;
CREATE TRIGGER pushed_holds BEFORE DELETE ON pushed
    BEGIN SELECT RAISE(ABORT, 'what was pushed is append-only'); END;
CREATE INDEX pushed_by_seq ON pushed (push, place, seq);
