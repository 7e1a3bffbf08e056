//! What `accrued init DIR` writes.
