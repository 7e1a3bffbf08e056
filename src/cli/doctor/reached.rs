//! Each feed and push, several at once: reached, its host key the pinned one, the algorithms agreed on, its folder good.

use super::guards::has_secrets;
use super::{Findings, MayBe, feeds, pushes};
use crate::cli::exit::{self, Exit};
use crate::cli::output::printable;
use crate::cli::session::Session;
use crate::config::{Config, Feed, Push};
use crate::inbox::{Agreed, Cancel, Ground, InboxFault, Listing, Place, Source, side_by_side};
use anyhow::Result;

/// What is looked at.
#[derive(Clone, Copy)]
enum Whose<'c> {
    Feed(&'c Feed),
    Push(&'c Push),
}

impl<'c> Whose<'c> {
    fn source(self) -> &'c Source {
        match self {
            Whose::Feed(feed) => &feed.source,
            Whose::Push(push) => &push.source,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Whose::Feed(_) => "feed",
            Whose::Push(_) => "push",
        }
    }

    /// As a check is called: pushes have names of their own, which may be those of feeds.
    fn name(self) -> String {
        match self {
            Whose::Feed(feed) => feed.name.clone(),
            Whose::Push(push) => format!("push {}", push.name),
        }
    }

    fn check(self) -> String {
        format!("{} {}", self.word(), self.source().feed)
    }

    fn look(self, cancel: &Cancel) -> Looked<'c> {
        if !has_secrets(self.source()) {
            return Looked::Not;
        }
        let source = at_once(self.source());
        let seen = match self {
            Whose::Feed(feed) => {
                feeds::listed(&source, cancel).map(|(listing, agreed)| (Seen::Feed(feed, listing), agreed))
            }
            Whose::Push(push) => {
                pushes::tried(&source, cancel).map(|(ground, agreed)| (Seen::Push(push, ground), agreed))
            }
        };
        Looked::Done(Box::new(seen))
    }
}

/// What came of it.
enum Looked<'c> {
    /// its secret is not to be had here
    Not,
    Done(Box<Result<(Seen<'c>, Option<Agreed>), InboxFault>>),
}

enum Seen<'c> {
    Feed(&'c Feed, Listing),
    Push(&'c Push, Ground),
}

pub(super) fn look(
    session: &Session,
    config: &Config,
    store: MayBe<'_>,
    findings: &mut Findings,
) -> Result<()> {
    let cancel = session.cancel()?;
    let feeds = config.feeds.iter().map(Whose::Feed);
    let all: Vec<Whose<'_>> = feeds.chain(config.pushes.iter().map(Whose::Push)).collect();
    let sources: Vec<&Source> = all.iter().map(|whose| whose.source()).collect();
    side_by_side(
        &sources,
        |at| all[at].look(&cancel),
        |at, looked| tell(all[at], looked, (session, config, store), findings),
    )
}

fn tell(
    whose: Whose<'_>,
    looked: Looked<'_>,
    (session, config, store): (&Session, &Config, MayBe<'_>),
    findings: &mut Findings,
) -> Result<()> {
    let (seen, agreed) = match looked {
        Looked::Not => {
            let remedy = format!("see the secret of the {}, above", whose.word());
            findings.warn(whose.check(), "not tried: its secret is not to be had here", remedy);
            return Ok(());
        }
        Looked::Done(seen) => match *seen {
            Ok(seen) => seen,
            Err(fault @ InboxFault::Stopped) => return Err(fault.into()),
            Err(fault) => {
                let (finding, remedy) = told(&fault, whose.word());
                findings.bad(whose.check(), end(&fault), finding, remedy);
                return Ok(());
            }
        },
    };
    match seen {
        Seen::Feed(feed, listing) => feeds::folder(feed, &listing, store, whose.check(), findings)?,
        Seen::Push(push, ground) => {
            pushes::folder(push, &ground, (config, store, session.now()), whose.check(), findings);
        }
    }
    if let Some(agreed) = agreed {
        connection(&whose.name(), &agreed, findings);
    }
    Ok(())
}

fn connection(name: &str, agreed: &Agreed, findings: &mut Findings) {
    let key = format!("{} ({}), pinned", agreed.fingerprint, agreed.host_key);
    findings.ok(format!("host key of {name}"), key);
    let told = format!(
        "key exchange {}, host key {}, cipher {}, mac {}",
        agreed.key_exchange, agreed.host_key, agreed.cipher, agreed.mac
    );
    findings.ok(format!("algorithms of {name}"), told);
}

/// One look is enough: what fails now is told now.
fn at_once(source: &Source) -> Source {
    let mut source = source.clone();
    if let Place::Sftp(sftp) = &mut source.place {
        sftp.retries = 0;
    }
    source
}

/// A setting or a folder that cannot work is a failure here: nothing arrives, there or here.
fn end(fault: &InboxFault) -> Exit {
    match exit::of_inbox(fault, None) {
        Exit::Waits => Exit::Failed,
        other => other,
    }
}

/// The message, parted from the remedy that stands in it behind a `;`.
fn told(fault: &InboxFault, whose: &str) -> (String, String) {
    let whole = printable(&fault.to_string());
    match whole.split_once("; ") {
        Some((finding, remedy)) => (finding.to_owned(), remedy.to_owned()),
        None => {
            let remedy = match fault {
                InboxFault::Temporary(_) => {
                    "see that the server is up and a firewall lets us through; runs try again by themselves"
                        .to_owned()
                }
                InboxFault::Refused(_) => {
                    format!("mend [{whose}.ssh] of this {whose}, or the account on the server")
                }
                InboxFault::Changed(_) | InboxFault::Disk(_) | InboxFault::Limit(_) | InboxFault::Stopped => {
                    format!("mend the url of this {whose}, or the folder on its server")
                }
            };
            (whole, remedy)
        }
    }
}
