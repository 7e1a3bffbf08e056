//! The README tells the truth: its files are laid out and every ```console block is run, in order, in one temporary folder.
//!
//! A fenced block after `<!-- file: PATH -->` is a file. In a console block a line `$ COMMAND` is run by bash with the built
//! program first in PATH, and what follows is what it prints, stdout and stderr as they come; a line `...` stands
//! for any lines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

enum Block {
    File { path: String, text: String },
    Console { line: usize, command: String, printed: String },
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("README.md")
}

fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut file = None;
    let mut lines = readme.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(path) = line.strip_prefix("<!-- file: ") {
            file = path.strip_suffix(" -->").map(str::to_owned);
        } else if let Some(language) = line.strip_prefix("```") {
            let inside: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            if let Some(path) = file.take() {
                blocks.push(Block::File { path, text: inside.join("\n") + "\n" });
            } else if language == "console" {
                blocks.extend(commands(number + 2, &inside));
            }
        }
    }
    blocks
}

fn commands(first: usize, inside: &[&str]) -> Vec<Block> {
    let mut found = Vec::new();
    for (below, line) in inside.iter().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push(Block::Console {
                line: first + below,
                command: command.to_owned(),
                printed: String::new(),
            });
        } else if let Some(Block::Console { printed, .. }) = found.last_mut() {
            *printed += line;
            *printed += "\n";
        } else {
            panic!("README.md:{}: a console block begins with a command", first + below);
        }
    }
    found
}

/// Whether what was printed is what was told, where `...` tells any lines.
fn is_told(told: &[&str], printed: &[&str]) -> bool {
    match told.split_first() {
        None => printed.is_empty(),
        Some((&"...", rest)) => (0..=printed.len()).any(|skipped| is_told(rest, &printed[skipped..])),
        Some((line, rest)) => {
            printed.split_first().is_some_and(|(first, more)| first == line && is_told(rest, more))
        }
    }
}

fn run(command: &str, folder: &Path) -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_accrued"));
    let mut path = program.parent().expect("in a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("ACCRUED_CONFIG")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .expect("bash starts");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_console_block_prints_what_the_readme_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut wrong = Vec::new();
    for block in blocks(&readme()) {
        match block {
            Block::File { path, text } => {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().expect("below the folder")).expect("its folder");
                fs::write(path, text).expect("written");
            }
            Block::Console { line, command, printed } => {
                let found = run(&command, folder.path());
                let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
                let (told, found_lines) = (lines(&printed), lines(&found));
                let told: Vec<&str> = told.iter().map(String::as_str).collect();
                let found_lines: Vec<&str> = found_lines.iter().map(String::as_str).collect();
                if !is_told(&told, &found_lines) {
                    wrong.push(format!("README.md:{line}: $ {command}\n{found}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "the README says otherwise than\n{}", wrong.join("\n"));
}

#[test]
fn the_two_commands_are_there() {
    use std::os::unix::fs::PermissionsExt;
    let readme = readme();
    assert!(readme.contains("\n```sh\ncargo run --release -- demo\ntests/run\n```\n"));
    for path in ["tests/run", ".ci/run"] {
        let mode = fs::metadata(root().join(path)).expect(path).permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{path} can be run");
    }
}

#[test]
fn every_command_is_in_the_table() {
    let readme = readme();
    let help = run("accrued --help", root());
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.contains(&"run"), "{help}");
    for name in names {
        assert!(
            readme.contains(&format!("| `accrued {name}")),
            "the README's table of commands lacks {name}"
        );
    }
}

#[test]
fn every_file_that_the_readme_links_is_there() {
    for (at, _) in readme().match_indices("](") {
        let readme = readme();
        let target = readme[at + 2..].split(')').next().expect("something");
        if !target.contains("://") && !target.starts_with('#') {
            assert!(root().join(target).exists(), "README.md links {target}");
        }
    }
}

#[test]
fn dots_stand_for_any_lines_and_nothing_else_does() {
    assert!(is_told(&["a", "...", "d"], &["a", "b", "c", "d"]));
    assert!(is_told(&["a", "..."], &["a"]));
    assert!(!is_told(&["a", "...", "d"], &["a", "b"]));
    assert!(!is_told(&["a"], &["a", "b"]));
    assert!(!is_told(&["a", "b"], &["a"]));
}
