//! What stands over the file: `ACCRUED_*` variables, and `--set` over these. Pure: both are passed in.
//!
//! A setting is named as `config show` prints it. Its variable is `ACCRUED_` and that name in capitals, every character other than a
//! letter or digit as `_` (quotes are left out): `feed.north-sales.ssh.retries` is `ACCRUED_FEED_NORTH_SALES_SSH_RETRIES`. The value is the
//! text as it stands; numbers, true, false and lists are written as in the file, and so may a text be, in quotes. It means what it
//! would mean in the file: paths are relative to the file. An empty variable is none.
//!
//! Answers for: every setting that is asked for by its key can be set so, every variable that no setting answers to is a fault.
//! Does not: know the settings (who asks for a key makes it one), set a table as a whole, or name a feed.

use super::values::as_toml;
use crate::fault::{Elsewhere, Fault, nearest};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// How every variable that is a setting begins.
pub const PREFIX: &str = "ACCRUED_";

/// Variables that are no settings: the program reads the first otherwise, and gives the second to its hooks, which may call it.
pub const OTHERWISE: [&str; 2] = ["ACCRUED_CONFIG", "ACCRUED_EVENT"];

/// What the shell found beside the file. Journalled with its text, so that a replay goes by what was in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// `ACCRUED_*` -> value
    pub variables: BTreeMap<String, String>,
    /// a setting's name -> value, as `--set` gave it
    pub flags: BTreeMap<String, String>,
}

impl Beside {
    /// The variables among these that can be settings: `ACCRUED_*`, but for those read otherwise and for empty ones.
    pub fn of_environment(all: impl Iterator<Item = (String, String)>) -> Beside {
        let ours = |(name, value): &(String, String)| {
            name.starts_with(PREFIX) && !OTHERWISE.contains(&name.as_str()) && !value.is_empty()
        };
        Beside { variables: all.filter(ours).collect(), flags: BTreeMap::new() }
    }

    /// Whether the file alone is in force.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.flags.is_empty()
    }
}

/// The variable of a setting.
pub fn variable_of(key: &str) -> String {
    let plain = key.chars().filter(|c| !matches!(c, '"' | '\\'));
    let word = plain.map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    PREFIX.chars().chain(word).collect()
}

/// So that TOML takes a value for one.
const KEY: &str = "x=";

/// Above the file's text and the other values, so that no place of one is a place of another.
const GAP: usize = 16;

/// A value with its place, which is beyond the file's text.
#[derive(Debug)]
pub(super) struct Given<'b> {
    layer: Layer,
    /// `ACCRUED_DATA_DIR`, `data_dir`
    name: &'b str,
    at: Range<usize>,
    /// the value behind so many blanks that what TOML finds in it has its place
    padded: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Flag,
    Variable,
}

impl Layer {
    fn place(self) -> &'static str {
        match self {
            Layer::Flag => "the command line",
            Layer::Variable => "the environment",
        }
    }
}

impl Given<'_> {
    /// `ACCRUED_DATA_DIR`, `flag --set data_dir`
    fn origin(&self) -> String {
        match self.layer {
            Layer::Flag => format!("flag --set {}", self.name),
            Layer::Variable => self.name.to_owned(),
        }
    }

    fn value(&self) -> &str {
        &self.padded[self.at.start..]
    }
}

/// Gives each value its place, flags first. `beyond` is the length of the file's text.
pub(super) fn given(beside: &Beside, beyond: usize) -> Vec<Given<'_>> {
    let mut start = beyond;
    let flags = beside.flags.iter().map(|given| (Layer::Flag, given));
    let variables = beside.variables.iter().map(|given| (Layer::Variable, given));
    let placed = flags.chain(variables).map(|(layer, (name, value))| {
        let at = start + GAP..start + GAP + value.len();
        start = at.end;
        Given { layer, name, padded: format!("{}{KEY}{value}", " ".repeat(at.start - KEY.len())), at }
    });
    placed.collect()
}

/// A given value, and what it can be read as.
#[derive(Debug)]
pub(super) struct One<'v> {
    given: &'v Given<'v>,
    /// the text as it stands; `None` where it is written in quotes
    text: Option<DeValue<'v>>,
    /// as the file would write it
    toml: Option<DeValue<'v>>,
    pub at: Range<usize>,
}

impl<'v> One<'v> {
    fn of(given: &'v Given<'v>) -> One<'v> {
        let document = DeTable::parse(&given.padded).ok().map(|document| document.into_inner());
        let toml = document.filter(|all| all.len() == 1).and_then(|all| all.into_iter().next());
        let toml = toml.map(|(_, value)| value.into_inner());
        let quoted = matches!(toml, Some(DeValue::String(_)));
        let text = (!quoted).then(|| DeValue::String(Cow::Borrowed(given.value())));
        One { given, text, toml, at: given.at.clone() }
    }

    /// `ACCRUED_DATA_DIR`, `flag --set data_dir`
    pub fn origin(&self) -> String {
        self.given.origin()
    }

    /// As a text, for a setting that is one.
    pub fn text(&self) -> Option<&DeValue<'v>> {
        self.text.as_ref().or(self.toml.as_ref())
    }

    /// As the file would write it, for a setting that is no text; the text where that is no TOML.
    pub fn toml(&self) -> Option<&DeValue<'v>> {
        self.toml.as_ref().or(self.text.as_ref())
    }

    /// `"/srv" (ACCRUED_DATA_DIR)`
    pub fn told(&self) -> String {
        format!("{} ({})", self.text().map(as_toml).unwrap_or_default(), self.origin())
    }

    fn answers(&self, key: &str, variable: &str) -> bool {
        match self.given.layer {
            Layer::Flag => self.given.name == key,
            Layer::Variable => self.given.name == variable,
        }
    }
}

/// All that stands over the file.
#[derive(Debug, Default)]
pub(super) struct Over<'v> {
    /// flags first
    all: Vec<One<'v>>,
    /// keys that were asked for, by their variable
    asked: RefCell<BTreeMap<String, BTreeSet<String>>>,
}

impl<'v> Over<'v> {
    pub fn new(given: &'v [Given<'v>]) -> Over<'v> {
        Over { all: given.iter().map(One::of).collect(), asked: RefCell::default() }
    }

    /// What stands over a setting, the value in force first. The setting is known from now on.
    pub fn of(&self, key: &str) -> Vec<&One<'v>> {
        self.asked.borrow_mut().entry(variable_of(key)).or_default().insert(key.to_owned());
        self.peek(key)
    }

    /// Likewise, and the setting is not known for it.
    pub fn peek(&self, key: &str) -> Vec<&One<'v>> {
        let variable = variable_of(key);
        self.all.iter().filter(|one| one.answers(key, &variable)).collect()
    }

    /// The variable of a setting that may be set so.
    pub fn variable(&self, key: &str) -> Option<String> {
        let variable = variable_of(key);
        let known = self.asked.borrow().get(&variable).is_some_and(|keys| keys.contains(key));
        known.then_some(variable)
    }

    /// The value that has this place, if one has.
    pub fn at(&self, place: &Range<usize>) -> Option<&One<'v>> {
        self.all.iter().find(|one| one.at.start <= place.start && place.end <= one.at.end)
    }

    /// A fault that was found in a value, told of that value instead of the file. What is secret is starred.
    pub fn placed(&self, fault: Fault, secrets: &[Range<usize>]) -> Fault {
        let secret = |one: &One<'_>| secrets.iter().any(|place| one.at.contains(&place.start));
        let elsewhere = |one: &One<'_>| Elsewhere {
            path: one.origin(),
            text: if secret(one) { "********".to_owned() } else { one.given.value().to_owned() },
        };
        let within =
            |one: &One<'_>, place: &Range<usize>| place.start - one.at.start..place.end - one.at.start;
        let here = fault.span.clone().and_then(|span| Some((self.at(&span)?, span)));
        let there = fault.other.clone().and_then(|(span, label)| Some((self.at(&span)?, span, label)));
        let mut fault = fault;
        if let Some((one, span)) = here {
            fault.span = Some(within(one, &span));
            fault.place = Some(elsewhere(one));
        }
        if let Some((one, span, label)) = there {
            fault.other = Some((within(one, &span), label));
            fault.other_place = Some(elsewhere(one));
        }
        fault
    }

    /// A fault for each name that no setting answers to, or several. Values are not shown: they may be secrets.
    pub fn faults(&self) -> Vec<Fault> {
        self.all.iter().filter_map(|one| self.fault_of(one)).collect()
    }

    fn fault_of(&self, one: &One<'_>) -> Option<Fault> {
        let asked = self.asked.borrow();
        let variables: Vec<&str> = asked.keys().map(String::as_str).collect();
        let keys: Vec<&str> = asked.values().flatten().map(String::as_str).collect();
        let Given { layer, name, .. } = one.given;
        let (known, what) = match layer {
            Layer::Flag => (keys, "--set: no setting is named"),
            Layer::Variable => (variables, "no setting is named as the variable"),
        };
        let told = |message: String, help: String| {
            let place = Elsewhere { path: layer.place().to_owned(), text: String::new() };
            Some(Fault { place: Some(place), ..Fault::missing(message, help) })
        };
        if known.contains(name) {
            let several = asked.get(*name).filter(|keys| keys.len() > 1)?;
            let several: Vec<&str> = several.iter().map(String::as_str).collect();
            let message = format!("{} could be any of {}", name, several.join(", "));
            return told(
                message,
                "name the feeds so that their variables differ, or set it in the file".to_owned(),
            );
        }
        if let Some(help) = super::table::secret_name(name) {
            return told(format!("{} would be a secret in {}", one.origin(), layer.place()), help.to_owned());
        }
        let below = known.iter().find(|known| below(known, name));
        let help = match (below, nearest(name, &known)) {
            (Some(below), _) => format!("that is a table: its settings are set one by one, such as {below}"),
            (None, Some(near)) => format!("did you mean {near}?"),
            (None, None) => "accrued config show lists every setting; a feed is added in the file".to_owned(),
        };
        told(format!("{what} {name}"), help)
    }
}

/// Whether a known name is one of those below a table's name.
fn below(known: &str, table: &str) -> bool {
    known.strip_prefix(table).is_some_and(|rest| rest.starts_with(['_', '.']))
}
