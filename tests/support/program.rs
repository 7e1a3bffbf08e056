//! One builder for whole-program tests: a temporary workspace, the built binary, and exact comparison of its
//! stdout, stderr, status and files. Nothing of `src/` is used but the binary itself.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

/// A folder with accrued.toml, schemes/ and drop/, thrown away at the end.
pub struct Workspace {
    dir: TempDir,
    /// The modification time that the next dropped file gets: a second after the one before.
    next_mtime: SystemTime,
}

/// What a command did.
#[derive(Debug)]
pub struct Outcome {
    pub command: String,
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Workspace {
    pub fn new(config: &str) -> Workspace {
        let dir = folder();
        let next_mtime = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let workspace = Workspace { dir, next_mtime };
        workspace.write("accrued.toml", config);
        fs::create_dir_all(workspace.path("schemes")).expect("schemes/ can be made");
        workspace
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("its folder can be made");
        fs::write(path, content).expect("a file can be written");
    }

    /// Drops a file for a feed; later drops are later by their modification time.
    pub fn drop(&mut self, relative: &str, content: impl AsRef<[u8]>) {
        self.write(relative, content);
        let file = File::options().write(true).open(self.path(relative)).expect("it was just written");
        let times = FileTimes::new().set_modified(self.next_mtime);
        file.set_times(times).expect("its time can be set");
        self.next_mtime += Duration::from_secs(1);
    }

    /// The program with its arguments, to be started in the workspace.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accrued"));
        without_settings(&mut command);
        command.args(args).current_dir(self.root()).env("NO_COLOR", "1");
        command.stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn accrued(&self, args: &[&str]) -> Outcome {
        let output = self.command(args).output().expect("the binary starts");
        Outcome::of(args, output)
    }

    /// Starts the program and lets it be killed.
    pub fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the binary starts")
    }

    /// Starts the program and kills it after that time, at whatever it is then. Whether it was still alive.
    pub fn killed(&self, args: &[&str], after: Duration) -> bool {
        let mut child = self.start(args);
        let at = Instant::now() + after;
        while Instant::now() < at {
            std::hint::spin_loop();
        }
        child.kill().expect("our own child can be killed");
        child.wait().expect("it has ended").code().is_none()
    }

    /// Runs the program where no file may grow beyond so many KiB: writing fails as on a full disk.
    pub fn within(&self, kib: u32, args: &[&str]) -> Outcome {
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        without_settings(&mut command);
        command.args(["-c", &script, env!("CARGO_BIN_EXE_accrued")]).args(args).current_dir(self.root());
        command.env("NO_COLOR", "1").stdin(Stdio::null());
        Outcome::of(args, command.output().expect("bash starts"))
    }

    /// Runs the program where a file is in the way of a folder: it fails as soon as it would write there, as one that is
    /// killed there ends. Whatever stood in that place is back afterwards.
    pub fn obstructed(&self, folder: &str, args: &[&str]) -> Outcome {
        let (place, parked) = (self.path(folder), self.path("parked"));
        let stood = place.exists();
        if stood {
            fs::rename(&place, &parked).expect("a folder can be moved");
        }
        self.write(folder, "in the way");
        let outcome = self.accrued(args);
        fs::remove_file(&place).expect("a file can be removed");
        if stood {
            fs::rename(&parked, &place).expect("a folder can be moved");
        }
        assert_eq!(outcome.status, 1, "status of\n{}", outcome.whole());
        outcome
    }

    /// Every file under a folder, by its path there. None where the folder is not.
    pub fn tree(&self, relative: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(relative), "", &mut files);
        files
    }

    /// A trial of one command, to be finished by [`Trial::check`].
    pub fn trial<'a>(&'a self, args: &[&'a str]) -> Trial<'a> {
        Trial { workspace: self, args: args.to_vec(), status: 0, stdout: None, stderr: None, files: vec![] }
    }
}

/// Takes our variables out of a command's environment: those of the tests are no settings, and the program refuses them.
pub fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"ACCRUED_") {
            command.env_remove(name);
        }
    }
}

/// In memory where the machine has a place for that: what these tests cost is waiting for disks.
fn folder() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let dir = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    dir.or_else(|_| tempfile::tempdir()).expect("a temporary folder can be made")
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.expect("a folder can be read");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a kind of file").is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).expect("a file can be read"));
        }
    }
}

impl Outcome {
    fn of(args: &[&str], output: Output) -> Outcome {
        Outcome {
            command: format!("accrued {}", args.join(" ")),
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Everything about it, for the message of a failing test.
    pub fn whole(&self) -> String {
        format!("$ {}\nexit {}\n{}{}", self.command, self.status, self.stdout, self.stderr)
    }

    /// Its CSV output as rows of column name to cell.
    pub fn csv(&self) -> Vec<BTreeMap<String, String>> {
        csv_rows(self.stdout.as_bytes())
    }
}

/// CSV bytes as rows of column name to cell.
pub fn csv_rows(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader.headers().expect("a CSV has a header").clone();
    let rows = reader.records().map(|record| record.expect("a row of CSV"));
    let named =
        |row: csv::StringRecord| headers.iter().map(String::from).zip(row.iter().map(String::from)).collect();
    rows.map(named).collect()
}

/// One command with what it must print, exit with and leave behind.
#[must_use = "a trial is made by check()"]
pub struct Trial<'a> {
    workspace: &'a Workspace,
    args: Vec<&'a str>,
    status: i32,
    stdout: Option<String>,
    stderr: Option<String>,
    files: Vec<(String, String)>,
}

impl Trial<'_> {
    /// The exit status; 0 where it is not called.
    pub fn status(mut self, status: i32) -> Self {
        self.status = status;
        self
    }
    /// The whole of stdout.
    pub fn stdout(mut self, text: impl Into<String>) -> Self {
        self.stdout = Some(text.into());
        self
    }
    /// The whole of stderr.
    pub fn stderr(mut self, text: impl Into<String>) -> Self {
        self.stderr = Some(text.into());
        self
    }
    /// A file that is there afterwards, with exactly that content.
    pub fn file(mut self, relative: &str, content: impl Into<String>) -> Self {
        self.files.push((relative.into(), content.into()));
        self
    }
    /// Runs the command and compares.
    pub fn check(self) -> Outcome {
        let outcome = self.workspace.accrued(&self.args);
        assert_eq!(outcome.status, self.status, "status of\n{}", outcome.whole());
        if let Some(stdout) = &self.stdout {
            assert_eq!(outcome.stdout, *stdout, "stdout of\n{}", outcome.whole());
        }
        if let Some(stderr) = &self.stderr {
            assert_eq!(outcome.stderr, *stderr, "stderr of\n{}", outcome.whole());
        }
        for (relative, content) in &self.files {
            let bytes = fs::read(self.workspace.path(relative));
            let found =
                String::from_utf8_lossy(&bytes.unwrap_or_else(|e| panic!("{relative}: {e}"))).into_owned();
            assert_eq!(found, *content, "{relative} after\n{}", outcome.whole());
        }
        outcome
    }
}
