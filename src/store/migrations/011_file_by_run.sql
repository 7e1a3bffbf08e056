-- The files of one run, which each run looks up for the one before: without it, all that were ever taken are read.
CREATE INDEX file_by_run ON file (run);
