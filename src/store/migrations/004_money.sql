-- Events: what each file said of a payment (its invoices in `money`) or of a deposit. `take` tells apart what contradicts itself
-- in one file; `file_line` is the row by which a decision names it.
CREATE TABLE event (
    kind      TEXT NOT NULL CHECK (kind IN ('payment', 'deposit')),
    issuer    INTEGER NOT NULL REFERENCES issuer (id),
    ref       TEXT NOT NULL,
    seq       INTEGER NOT NULL REFERENCES file (seq),
    take      INTEGER NOT NULL,
    file_line INTEGER NOT NULL,
    PRIMARY KEY (kind, issuer, ref, seq, take)
) STRICT, WITHOUT ROWID;

-- Their rows; number is that of the invoice, '' of a deposit.
CREATE TABLE money (
    kind        TEXT NOT NULL CHECK (kind IN ('payment', 'deposit')),
    issuer      INTEGER NOT NULL REFERENCES issuer (id),
    number      TEXT NOT NULL,
    ref         TEXT NOT NULL,
    seq         INTEGER NOT NULL REFERENCES file (seq),
    take        INTEGER NOT NULL,
    file_line   INTEGER NOT NULL,
    day         TEXT NOT NULL,
    amount      TEXT NOT NULL,
    currency    TEXT NOT NULL,
    method      TEXT NOT NULL,
    distributor TEXT NOT NULL,
    deposit_ref TEXT NOT NULL,
    PRIMARY KEY (kind, issuer, number, ref, seq, take)
) STRICT, WITHOUT ROWID;
CREATE INDEX money_by_event ON money (kind, issuer, ref, seq, take);
CREATE INDEX money_by_file ON money (seq, file_line);

-- Numbers with payments, by the partners whom they concern.
CREATE TABLE paying (
    partner TEXT NOT NULL,
    issuer  INTEGER NOT NULL,
    number  TEXT NOT NULL,
    PRIMARY KEY (partner, issuer, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX paying_by_number ON paying (issuer, number);
