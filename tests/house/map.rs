//! The tables of src/lib.rs.

use super::source::Source;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pure,
    Edge,
    Shell,
}

pub struct Room {
    pub name: String,
    pub kind: Kind,
    pub may_use: Vec<String>,
}

pub struct Crate {
    pub name: String,
    pub places: Vec<Place>,
}

/// Where a crate may be used.
pub enum Place {
    Anywhere,
    EdgesAndShell,
    /// a room, or files of one by how their path begins: `inbox/sftp`
    Below(String),
}

impl Place {
    pub fn holds(&self, source: &Source, map: &Map) -> bool {
        match self {
            Place::Anywhere => true,
            Place::EdgesAndShell => match source.room.as_str() {
                "main" => true,
                "lib" => false,
                room => map.room(room).kind != Kind::Pure,
            },
            Place::Below(path) if path.contains('/') => source.path.starts_with(path.as_str()),
            Place::Below(room) => source.room == *room,
        }
    }
}

pub struct Map {
    pub rooms: Vec<Room>,
    pub crates: Vec<Crate>,
}

impl Map {
    pub fn read(house: &str) -> Map {
        let rows: Vec<Vec<&str>> = house
            .lines()
            .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"))
            .map(|row| row.split('|').map(str::trim).collect())
            .collect();
        let kind_of = |row: &Vec<&str>| match row.get(1) {
            Some(&"pure") => Some(Kind::Pure),
            Some(&"edge") => Some(Kind::Edge),
            Some(&"shell") => Some(Kind::Shell),
            _ => None,
        };
        let kinds: Vec<(String, Kind)> =
            rows.iter().filter_map(|row| Some((quoted(row[0]).pop()?, kind_of(row)?))).collect();
        let of_kind =
            |kind: Kind| kinds.iter().filter(move |(_, found)| *found == kind).map(|(name, _)| name.clone());
        let rooms = rows
            .iter()
            .filter_map(|row| {
                let mut may_use = quoted(row.get(2)?);
                if row[2].contains("every pure room") {
                    may_use.extend(of_kind(Kind::Pure));
                }
                if row[2].contains("every edge") {
                    may_use.extend(of_kind(Kind::Edge));
                }
                Some(Room { name: quoted(row[0]).pop()?, kind: kind_of(row)?, may_use })
            })
            .collect();
        let crates = rows
            .iter()
            .filter(|row| row.len() == 2)
            .flat_map(|row| quoted(row[0]).into_iter().map(|name| Crate { name, places: places(row[1]) }));
        Map { rooms, crates: crates.collect() }
    }

    pub fn room(&self, name: &str) -> &Room {
        self.rooms
            .iter()
            .find(|room| room.name == name)
            .unwrap_or_else(|| panic!("the table of rooms in src/lib.rs has no row for {name}"))
    }
}

fn places(cell: &str) -> Vec<Place> {
    let mut places: Vec<Place> = quoted(cell).into_iter().map(Place::Below).collect();
    if cell.contains("anywhere") {
        places.push(Place::Anywhere);
    }
    if cell.contains("edges and shell") {
        places.push(Place::EdgesAndShell);
    }
    assert!(!places.is_empty(), "a crate without a place: {cell}");
    places
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
