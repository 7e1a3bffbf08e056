-- Worked out, and kept only to be quick: a sketch of the SKUs of each partner's lines, where there is an item master.
CREATE TABLE sku_sketch (
    partner TEXT PRIMARY KEY,
    skus    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
