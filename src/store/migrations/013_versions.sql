-- The run that worked a position out: by it one can tell which version of the program and of the time-zone data did. 0: some run
-- before this was kept.
ALTER TABLE position ADD COLUMN run INTEGER NOT NULL DEFAULT 0;

-- Runs by their number, and by the version of the program and of the time-zone data that made them: the last run of another
-- version is found without reading all runs.
CREATE INDEX run_started ON journal (run) WHERE kind = 'run-started';
CREATE INDEX run_by_version ON journal (
    CASE WHEN json_valid(body) THEN coalesce(body ->> 'program', '') || ' ' || coalesce(body ->> 'time_zone_data', '') ELSE '' END, seq
) WHERE kind = 'run-started';
