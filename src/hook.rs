//! Hook: a program of the site's own, told what happened by JSON on its stdin.
//!
//! Answers for: a call that ends within its time whatever the program does (it is killed with all that it has started), whose words
//! are bounded, and that gives the program nothing of ours: no open file, no credential, none of systemd's sockets. Does not: know
//! what is told, nor when; nor judge what a failure means.

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// Kept of what a program says, of its stdout and stderr together.
const KEPT: usize = 16 << 10;

/// What a program has written when it ends is on its way for at most so long; one that it has left running may keep its pipes.
const DRAIN: Duration = Duration::from_millis(500);

/// Variables that a program is given, where they are set: where it is, who runs it, how it speaks. Nothing else.
const PASSED_ON: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// A program to be called.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    /// its file
    pub program: &'c Path,
    /// its arguments
    pub arguments: &'c [String],
    /// where it starts
    pub folder: &'c Path,
    /// what it is called for: `ACCRUED_EVENT`
    pub event: &'c str,
    /// it has so long
    pub timeout: Duration,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// with status 0
    Well,
    /// with another status, or by a signal of its own
    Badly(String),
    /// it was killed when its time was over
    Late,
    /// it was killed, since nobody waits for it any more
    Unwanted,
}

/// A call that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// how
    pub ended: Ended,
    /// the beginning of what it said
    pub said: String,
}

/// Starts a program.
///
/// # Errors
/// It cannot be started.
pub fn begin(call: &Call<'_>, input: &[u8]) -> Result<Calling> {
    let passed_on =
        PASSED_ON.iter().filter_map(|&name| Some((OsString::from(name), std::env::var_os(name)?)));
    let mut command = Command::new(call.program);
    command
        .args(call.arguments)
        .current_dir(call.folder)
        .env_clear()
        .envs(passed_on)
        .env("ACCRUED_EVENT", call.event)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let until = Instant::now() + call.timeout;
    let child = command.spawn().with_context(|| format!("cannot start {}", call.program.display()))?;
    Calling::begin(child, input, until)
}

/// A call under way: threads feed it, listen to it, and wait for its end.
pub struct Calling {
    group: Option<Pid>,
    until: Instant,
    said: Arc<Mutex<Vec<u8>>>,
    tell: Sender<Happened>,
    happens: Receiver<Happened>,
    silent: Receiver<()>,
}

/// What ends the wait for a program.
enum Happened {
    Ended(std::io::Result<ExitStatus>),
    Unwanted,
}

/// Ends a call that nobody waits for any more, from another thread.
pub struct Stopper(Sender<Happened>);

impl Stopper {
    /// Ends it, if it has not ended by itself.
    pub fn stop(&self) {
        // it has ended where nobody hears it
        let _ = self.0.send(Happened::Unwanted);
    }
}

impl Calling {
    fn begin(mut child: Child, input: &[u8], until: Instant) -> Result<Calling> {
        let group = i32::try_from(child.id()).ok().map(Pid::from_raw);
        let said = Arc::new(Mutex::new(Vec::new()));
        let (hush, silent) = channel();
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (stdin, input) = (pipes.0, input.to_vec());
        // one that does not read what it is told is fine
        aside(move || drop(stdin.map(|mut pipe| pipe.write_all(&input))))?;
        listen(pipes.1, &said, hush.clone())?;
        listen(pipes.2, &said, hush)?;
        let (tell, happens) = channel();
        let ended = tell.clone();
        aside(move || drop(ended.send(Happened::Ended(child.wait()))))?;
        Ok(Calling { group, until, said, tell, happens, silent })
    }

    /// What ends it before its time.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.tell.clone())
    }

    /// Waits for its end: by itself, when its time is over, or by a stopper.
    ///
    /// # Errors
    /// Of the operating system.
    pub fn wait(self) -> Result<Called> {
        let ended = match self.happens.recv_timeout(self.until.saturating_duration_since(Instant::now())) {
            Ok(Happened::Ended(status)) => judged(status.context("cannot wait for the hook")?),
            Ok(Happened::Unwanted) => self.kill(Ended::Unwanted),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.kill(Ended::Late),
        };
        let until = Instant::now() + DRAIN;
        // both pipes; an error is that both are closed, or that the time is over
        while self.silent.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Called { ended, said: String::from_utf8_lossy(&said).into_owned() })
    }

    /// Ends the program with all that it has started and that has not left its group.
    fn kill(&self, why: Ended) -> Ended {
        if let Some(group) = self.group {
            // it may have ended just now
            let _ = killpg(group, Signal::SIGKILL);
        }
        why
    }
}

fn judged(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ended::Well,
        (Some(code), _) => Ended::Badly(format!("exit {code}")),
        (None, Some(signal)) => Ended::Badly(format!("signal {signal}")),
        (None, None) => Ended::Badly(status.to_string()),
    }
}

/// Keeps the beginning of what comes through a pipe and lets the rest go by; `hush` is dropped when it is closed.
fn listen(
    pipe: Option<impl Read + Send + 'static>,
    said: &Arc<Mutex<Vec<u8>>>,
    hush: Sender<()>,
) -> Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let said = Arc::clone(said);
    aside(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut bytes) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            let room = KEPT.saturating_sub(said.len());
            said.extend_from_slice(&bytes[..count.min(room)]);
        }
        drop(hush);
    })
}

/// Nobody waits for what it does: a program that has left its group may hold a pipe for ever.
fn aside(work: impl FnOnce() + Send + 'static) -> Result<()> {
    Builder::new().name("hook".to_owned()).spawn(work).map(drop).context("cannot start a thread for the hook")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Duration, input: &[u8]) -> Called {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let hook = Call {
            program: Path::new("/bin/sh"),
            arguments: &arguments,
            folder: Path::new("/"),
            event: "run-finished",
            timeout,
        };
        begin(&hook, input).and_then(Calling::wait).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn it_reads_what_it_is_told_and_its_words_are_kept() {
        let called = shell("cat; echo \"$ACCRUED_EVENT\" >&2; exit 0", LONG, b"{}\n");
        assert_eq!(called.ended, Ended::Well);
        assert!(called.said.contains("{}\n") && called.said.contains("run-finished\n"), "{}", called.said);
        let called = shell("echo no; exit 7", LONG, b"");
        assert_eq!(called, Called { ended: Ended::Badly("exit 7".into()), said: "no\n".into() });
        assert_eq!(shell("kill -9 $$", LONG, b"").ended, Ended::Badly("signal 9".into()));
    }

    #[test]
    fn one_that_neither_reads_nor_stops_speaking_is_bounded() {
        let input = vec![b'x'; 1 << 20];
        assert_eq!(shell("exit 0", LONG, &input).ended, Ended::Well);
        let called = shell("yes | head -c 1000000", LONG, &input);
        assert_eq!((called.ended, called.said.len()), (Ended::Well, KEPT));
    }

    #[test]
    fn one_that_does_not_end_is_killed_with_all_that_it_started() {
        let start = Instant::now();
        let called = shell("sleep 600 & echo begun; wait", Duration::from_millis(300), b"");
        assert_eq!(called, Called { ended: Ended::Late, said: "begun\n".into() });
        // had the one in the background lived on, it would hold the pipe and the drain would take its time
        assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
        let hook = Call {
            program: Path::new("/bin/sleep"),
            arguments: &["600".to_owned()],
            folder: Path::new("/"),
            event: "heartbeat",
            timeout: LONG,
        };
        let calling = begin(&hook, b"").unwrap();
        calling.stopper().stop();
        assert_eq!(calling.wait().unwrap().ended, Ended::Unwanted);
    }

    #[test]
    fn nothing_of_ours_is_handed_on() {
        let called = shell("env | cut -d= -f1 | sort", LONG, b"");
        for name in called.said.lines() {
            let shells_own = ["PWD", "SHLVL", "_", "OLDPWD", "ACCRUED_EVENT"];
            assert!(PASSED_ON.contains(&name) || shells_own.contains(&name), "{name}");
        }
        let missing = Call {
            program: Path::new("/no/such/hook"),
            arguments: &[],
            folder: Path::new("/"),
            event: "heartbeat",
            timeout: LONG,
        };
        let fault = begin(&missing, b"").err().unwrap();
        assert!(format!("{fault:#}").contains("/no/such/hook"), "{fault:#}");
    }
}
