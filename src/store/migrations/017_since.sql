-- What was closed and what fell silent since a record, without looking at all that ever was.
CREATE INDEX reject_closed_by ON reject_closed (by);
CREATE INDEX silenced_by ON silenced (by);
