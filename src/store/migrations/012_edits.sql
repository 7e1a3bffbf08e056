-- Worked out, and kept only to be quick: what a scheme file that was edited in place would give a partner more in a closed cycle.
CREATE TABLE edit_difference (
    scheme  TEXT NOT NULL,
    partner TEXT NOT NULL,
    cycle   INTEGER NOT NULL,
    points  INTEGER NOT NULL,
    PRIMARY KEY (scheme, partner, cycle)
) STRICT, WITHOUT ROWID;
-- Everybody is evaluated once more, so that it is filled.
DELETE FROM evaluated WHERE EXISTS (SELECT 1 FROM hold WHERE kind = 'scheme_edited');
