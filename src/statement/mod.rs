//! Statement: entries and positions -> the bytes of each published file (interfaces.md 5). Pure: renderers take a `Vec<u8>`, never a path.
