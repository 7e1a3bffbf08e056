-- Positions are worked out partner by partner: kept in that order they are appended, and a partner's stand together without
-- an index of their own.
DROP INDEX position_by_partner;
DROP INDEX position_unsettled;
ALTER TABLE position RENAME TO position_before;
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
    PRIMARY KEY (scheme, partner, cycle)
) STRICT, WITHOUT ROWID;
INSERT INTO position SELECT * FROM position_before ORDER BY scheme, partner, cycle;
DROP TABLE position_before;
CREATE INDEX position_unsettled ON position (scheme, cycle, partner) WHERE settled = 0;

-- A refusal ends the statement where it stands: whoever inserts undoes the whole transaction. ABORT would have SQLite copy
-- each page aside in every statement, for the one that is refused.
DROP TRIGGER ledger_appends;
CREATE TRIGGER ledger_appends BEFORE INSERT ON ledger
    WHEN NEW.entry IS NOT (SELECT coalesce(max(entry), 0) + 1 FROM ledger)
    BEGIN SELECT RAISE(FAIL, 'the ledger is append-only: an entry takes the next number'); END;
