-- Master records as they were said: which of a code's records is its first, and so applies from the beginning where it has no
-- date, is worked out from those that speak. `effective_from` is the row's own date; `otherwise` applies to a later one without.
CREATE TABLE partner_said (
    code           TEXT NOT NULL,
    seq            INTEGER NOT NULL REFERENCES file (seq),
    file_line      INTEGER NOT NULL,
    effective_from TEXT,
    otherwise      TEXT NOT NULL,
    listing        INTEGER NOT NULL, -- 1: the row gives a local code and nothing else
    name           TEXT NOT NULL,
    class          TEXT NOT NULL,
    channel        TEXT NOT NULL,
    email          TEXT NOT NULL,
    phone          TEXT NOT NULL,
    joined_on      TEXT,
    active         INTEGER NOT NULL,
    tracked        INTEGER NOT NULL,
    referred_by    TEXT NOT NULL,
    PRIMARY KEY (code, seq, file_line)
) STRICT, WITHOUT ROWID;
INSERT INTO partner_said
    SELECT code, seq, row_number() OVER (PARTITION BY code, seq ORDER BY effective_from), effective_from, effective_from, 0,
           name, class, channel, email, phone, joined_on, active, tracked, referred_by
    FROM partner_record;
DROP TABLE partner_record;
ALTER TABLE partner_said RENAME TO partner_record;

CREATE TABLE item_said (
    sku            TEXT NOT NULL,
    seq            INTEGER NOT NULL REFERENCES file (seq),
    file_line      INTEGER NOT NULL,
    effective_from TEXT,
    otherwise      TEXT NOT NULL,
    name           TEXT NOT NULL,
    category       TEXT NOT NULL,
    earns_points   INTEGER NOT NULL,
    launched_on    TEXT,
    PRIMARY KEY (sku, seq, file_line)
) STRICT, WITHOUT ROWID;
INSERT INTO item_said
    SELECT sku, seq, row_number() OVER (PARTITION BY sku, seq ORDER BY effective_from), effective_from, effective_from,
           name, category, earns_points, launched_on
    FROM item_record;
DROP TABLE item_record;
ALTER TABLE item_said RENAME TO item_record;

-- What distributors call partners, likewise.
CREATE TABLE alias (
    code           TEXT NOT NULL, -- the local one
    distributor    TEXT NOT NULL,
    seq            INTEGER NOT NULL REFERENCES file (seq),
    file_line      INTEGER NOT NULL,
    effective_from TEXT,
    otherwise      TEXT NOT NULL,
    partner        TEXT NOT NULL,
    PRIMARY KEY (code, distributor, seq, file_line)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_by_partner ON alias (partner);

-- The distributor of all rows of a bundle; NULL where they have several.
ALTER TABLE bundle ADD COLUMN distributor TEXT;
