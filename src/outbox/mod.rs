//! Outbox: folders and files that appear whole or not at all (temp beside, fsync, rename, fsync the folder).
