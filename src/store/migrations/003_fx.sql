-- Exchange rates, every one that was ever said. Codes are folded as the evaluation compares them.
CREATE TABLE fx_rate (
    from_code TEXT NOT NULL,
    to_code   TEXT NOT NULL,
    day       TEXT NOT NULL,
    seq       INTEGER NOT NULL REFERENCES file (seq),
    file_line INTEGER NOT NULL,
    rate      TEXT NOT NULL,
    PRIMARY KEY (from_code, to_code, day, seq, file_line)
) STRICT, WITHOUT ROWID;

-- Worked out, and kept only to be quick: partners with lines that a pair converts, and the first and last day of those lines.
CREATE TABLE fx_asked (
    from_code TEXT NOT NULL,
    to_code   TEXT NOT NULL,
    partner   TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day  TEXT NOT NULL,
    PRIMARY KEY (from_code, to_code, partner)
) STRICT, WITHOUT ROWID;
