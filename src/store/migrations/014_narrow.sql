-- Codes under which facts of one distributor moved: the code itself and whom that distributor calls so are evaluated again. (What
-- stands in `stale` concerns whomever any distributor calls so.)
CREATE TABLE stale_code (
    code        TEXT NOT NULL,
    distributor TEXT NOT NULL,
    PRIMARY KEY (code, distributor)
) STRICT, WITHOUT ROWID;
