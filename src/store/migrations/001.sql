-- Append-only: the database itself refuses changes, whatever program makes them. The BEFORE INSERT triggers also stop
-- INSERT OR REPLACE, which deletes without asking a delete trigger.

CREATE TABLE journal (
    seq   INTEGER PRIMARY KEY,
    at    TEXT NOT NULL,
    run   INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind  TEXT NOT NULL,
    body  TEXT NOT NULL,
    hash  BLOB NOT NULL
) STRICT;
CREATE TRIGGER journal_appends BEFORE INSERT ON journal
    WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM journal)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a record takes the next number'); END;
CREATE TRIGGER journal_keeps BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only: records are never changed'); END;
CREATE TRIGGER journal_holds BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only: records are never deleted'); END;
CREATE INDEX journal_by_kind ON journal (kind, seq);

-- Every scheme text that was ever in force.
CREATE TABLE scheme_text (
    id      INTEGER PRIMARY KEY,
    version TEXT NOT NULL UNIQUE,
    scheme  TEXT NOT NULL,
    path    TEXT NOT NULL,
    text    TEXT NOT NULL,
    seq     INTEGER NOT NULL REFERENCES journal (seq)
) STRICT;

CREATE TABLE ledger (
    entry        INTEGER PRIMARY KEY,
    posted_at    TEXT NOT NULL,
    posting_date TEXT NOT NULL,
    scheme       TEXT NOT NULL,
    cycle        TEXT NOT NULL,
    partner_code TEXT NOT NULL,
    kind         TEXT NOT NULL,
    points       INTEGER NOT NULL, -- millionths of a point
    amount       TEXT NOT NULL,
    tier         TEXT NOT NULL,
    reference    TEXT NOT NULL,
    against      TEXT NOT NULL,
    expires_on   TEXT,
    reason       TEXT NOT NULL,
    run          INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    version_id   INTEGER NOT NULL REFERENCES scheme_text (id),
    hash         BLOB NOT NULL
) STRICT;
CREATE TRIGGER ledger_appends BEFORE INSERT ON ledger
    WHEN NEW.entry IS NOT (SELECT coalesce(max(entry), 0) + 1 FROM ledger)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry takes the next number'); END;
CREATE TRIGGER ledger_keeps BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries are never changed; post a correction'); END;
CREATE TRIGGER ledger_holds BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries are never deleted; post a correction'); END;
CREATE INDEX ledger_by_partner ON ledger (partner_code, scheme, cycle);

-- Files taken, as they were judged when they were taken. Never changed: what comes later is another row.
CREATE TABLE file (
    seq          INTEGER PRIMARY KEY REFERENCES journal (seq),
    feed         TEXT NOT NULL,
    name         TEXT NOT NULL,
    size         INTEGER NOT NULL,
    mtime        INTEGER,
    sha256       TEXT NOT NULL,
    taken_at     TEXT NOT NULL,
    run          INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('ingested', 'duplicate', 'refused', 'held')),
    reason       TEXT NOT NULL,
    detail       TEXT NOT NULL,
    period_first TEXT,
    period_last  TEXT,
    part         TEXT,
    distributor  TEXT,
    layout       INTEGER NOT NULL REFERENCES layout (id),
    rows         INTEGER NOT NULL,
    accepted     INTEGER NOT NULL,
    duplicate    INTEGER NOT NULL,
    superseding  INTEGER NOT NULL,
    outdated     INTEGER NOT NULL,
    held         INTEGER NOT NULL,
    rejected     INTEGER NOT NULL
) STRICT;
CREATE INDEX file_by_name ON file (feed, name);
CREATE INDEX file_by_bytes ON file (sha256);

-- How files were read: dialect, mapping, zone.
CREATE TABLE layout (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- Document spaces and, within them, whose numbers they are.
CREATE TABLE space (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('distributor', 'space'))
) STRICT;
CREATE TABLE issuer (
    id          INTEGER PRIMARY KEY,
    space       INTEGER NOT NULL REFERENCES space (id),
    distributor TEXT NOT NULL,
    UNIQUE (space, distributor)
) STRICT;

-- Facts: all that one file said about one partner, written once.
CREATE TABLE bundle (
    id      INTEGER PRIMARY KEY,
    partner TEXT NOT NULL,
    seq     INTEGER NOT NULL REFERENCES file (seq),
    chunk   INTEGER NOT NULL,
    space   INTEGER NOT NULL REFERENCES space (id),
    rows    INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX bundle_by_partner ON bundle (partner, seq, chunk);

CREATE TABLE cancellation (
    issuer     INTEGER NOT NULL REFERENCES issuer (id),
    number     TEXT NOT NULL,
    seq        INTEGER NOT NULL REFERENCES file (seq),
    file_line  INTEGER NOT NULL,
    day        TEXT NOT NULL,
    year       INTEGER,
    updated_at INTEGER,
    PRIMARY KEY (issuer, number, seq, file_line)
) STRICT, WITHOUT ROWID;

-- Which partner a document number leads to; further parties (another partner, a note of another partner, a cancellation: '') stand in party,
-- and what concerns several of them is linked, so that each is evaluated with the others' rows.
CREATE TABLE document (
    issuer  INTEGER NOT NULL,
    number  TEXT NOT NULL,
    partner TEXT NOT NULL,
    PRIMARY KEY (issuer, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE party (
    issuer  INTEGER NOT NULL,
    number  TEXT NOT NULL,
    partner TEXT NOT NULL,
    PRIMARY KEY (issuer, number, partner)
) STRICT, WITHOUT ROWID;
CREATE TABLE link (
    partner TEXT NOT NULL,
    issuer  INTEGER NOT NULL,
    number  TEXT NOT NULL,
    PRIMARY KEY (partner, issuer, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE reject (
    id     INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL REFERENCES file (seq),
    line   INTEGER NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    text   TEXT NOT NULL
) STRICT;
CREATE INDEX reject_by_file ON reject (seq, line);

-- Master data, every record that was ever said.
CREATE TABLE partner_record (
    code           TEXT NOT NULL,
    effective_from TEXT NOT NULL,
    seq            INTEGER NOT NULL REFERENCES file (seq),
    name           TEXT NOT NULL,
    class          TEXT NOT NULL,
    channel        TEXT NOT NULL,
    email          TEXT NOT NULL,
    phone          TEXT NOT NULL,
    joined_on      TEXT,
    active         INTEGER NOT NULL,
    tracked        INTEGER NOT NULL,
    referred_by    TEXT NOT NULL,
    PRIMARY KEY (code, effective_from, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE item_record (
    sku            TEXT NOT NULL,
    effective_from TEXT NOT NULL,
    seq            INTEGER NOT NULL REFERENCES file (seq),
    name           TEXT NOT NULL,
    category       TEXT NOT NULL,
    earns_points   INTEGER NOT NULL,
    launched_on    TEXT,
    PRIMARY KEY (sku, effective_from, seq)
) STRICT, WITHOUT ROWID;

-- A person's word on a held version of a line.
CREATE TABLE decision (
    at        INTEGER PRIMARY KEY REFERENCES journal (seq),
    seq       INTEGER NOT NULL,
    file_line INTEGER NOT NULL,
    partner   TEXT NOT NULL,
    verdict   TEXT NOT NULL CHECK (verdict IN ('release', 'discard'))
) STRICT;
CREATE INDEX decision_by_partner ON decision (partner);

-- Cycles that are closed, and the scheme text they go by. A later row for the same cycle is a later pin.
CREATE TABLE close (
    scheme     TEXT NOT NULL,
    cycle      INTEGER NOT NULL,
    seq        INTEGER NOT NULL REFERENCES journal (seq),
    day        TEXT NOT NULL,
    version_id INTEGER REFERENCES scheme_text (id),
    reason     TEXT NOT NULL,
    PRIMARY KEY (scheme, cycle, seq)
) STRICT, WITHOUT ROWID;

-- What was published: a folder below statements/, in place once `placed`.
CREATE TABLE publication (
    seq      INTEGER PRIMARY KEY REFERENCES journal (seq),
    scheme   TEXT NOT NULL,
    cycle    INTEGER NOT NULL,
    folder   TEXT NOT NULL,
    staging  TEXT NOT NULL,
    manifest TEXT NOT NULL,
    entry    INTEGER NOT NULL,
    placed   INTEGER NOT NULL
) STRICT;
CREATE INDEX publication_by_cycle ON publication (scheme, cycle);
CREATE INDEX publication_waiting ON publication (placed) WHERE placed = 0;

-- From here on: worked out from the above, and kept only to be quick.

-- What was evaluated last for a partner and cycle.
CREATE TABLE position (
    scheme     TEXT NOT NULL,
    cycle      INTEGER NOT NULL,
    partner    TEXT NOT NULL,
    name       TEXT NOT NULL,
    points     INTEGER NOT NULL,
    held       INTEGER NOT NULL,
    measure    TEXT NOT NULL,
    tier       TEXT NOT NULL,
    version_id INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    papers     BLOB NOT NULL,
    published  BLOB,
    settled    INTEGER NOT NULL, -- 0: posting has not dealt with it yet
    PRIMARY KEY (scheme, cycle, partner)
) STRICT, WITHOUT ROWID;
CREATE INDEX position_by_partner ON position (partner, scheme);
CREATE INDEX position_unsettled ON position (scheme, cycle, partner) WHERE settled = 0;

-- Partners with a line dated in the future, and the day from which it counts.
CREATE TABLE waking (
    scheme  TEXT NOT NULL,
    partner TEXT NOT NULL,
    day     TEXT NOT NULL,
    PRIMARY KEY (scheme, partner)
) STRICT, WITHOUT ROWID;

-- Partners whose facts moved since they were evaluated; a scheme with every partner to evaluate.
CREATE TABLE stale (partner TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE evaluated (
    scheme  TEXT PRIMARY KEY,
    rests_on TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Names seen in a feed's folder and since when they stand unchanged, on our clock.
CREATE TABLE sighting (
    feed  TEXT NOT NULL,
    name  TEXT NOT NULL,
    size  INTEGER NOT NULL,
    mtime INTEGER,
    since INTEGER NOT NULL,
    PRIMARY KEY (feed, name)
) STRICT, WITHOUT ROWID;

-- Names passed over in a feed's folder, as they were told.
CREATE TABLE passed (
    feed TEXT NOT NULL,
    what TEXT NOT NULL
) STRICT;

-- Expected files whose absence was told.
CREATE TABLE missing (
    what  TEXT PRIMARY KEY,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What waits for a person. `subject` names it uniquely among its kind; who ended it and why is in the journal.
CREATE TABLE hold (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    scheme  TEXT NOT NULL,
    cycle   TEXT NOT NULL,
    partner TEXT NOT NULL,
    file    INTEGER,
    line    INTEGER,
    lines   INTEGER NOT NULL,
    amount  TEXT NOT NULL,
    points  INTEGER NOT NULL,
    detail  TEXT NOT NULL,
    opened  INTEGER NOT NULL REFERENCES journal (seq),
    state   TEXT NOT NULL CHECK (state IN ('open', 'released', 'discarded', 'gone', 'done')),
    ended   INTEGER REFERENCES journal (seq)
) STRICT;
CREATE UNIQUE INDEX hold_open ON hold (kind, subject) WHERE state = 'open';
CREATE INDEX hold_by_subject ON hold (kind, subject, state);
CREATE INDEX hold_by_partner ON hold (partner, state);
