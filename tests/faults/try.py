#!/usr/bin/env python3
"""Tries the deliberate faults of tests/faults/list.toml: is each of them caught, by what, how soon?

    tests/faults/try.py [--histories N] [--target DIR] [WORD...]     with words: only faults whose name has one of the words

All faults are built at once in a copy of the tree, each behind a switch that this script alone puts in; then the
simulator plays with one fault at a time until one of its histories fails. Exit 1 if a fault is not caught. It takes
minutes, so that it is run by hand. Build output goes to target/faults, or --target: a folder that nothing else builds in
meanwhile, since the simulator also starts the program that lies there.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWITCH = """//! Which deliberate fault is on: put in by tests/faults/try.py, never part of the program.
#![allow(missing_docs, clippy::all)]
pub fn on(number: u32) -> bool {
    static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *ON.get_or_init(|| std::env::var("ACCRUED_FAULT").ok().and_then(|n| n.parse().ok()).unwrap_or(0)) == number
}
"""


def planted(tree, faults):
    (tree / "src/faulty.rs").write_text(SWITCH)
    lib = tree / "src/lib.rs"
    lib.write_text(lib.read_text() + "\npub mod faulty;\n")
    for number, fault in enumerate(faults, 1):
        path = tree / fault["file"]
        text = path.read_text()
        assert text.count(fault["at"]) == 1, f"{fault['name']}: {fault['file']} has it {text.count(fault['at'])} times"
        assert fault["at"].count(fault["was"]) == 1, fault["name"]
        was, wrong = fault["was"], fault["is"]
        lead = next((op for op in ("=> ",) if was.startswith(op)), "")
        tail = next((op for op in (" &&",) if was.endswith(op)), "")
        was, wrong = was[len(lead):len(was) - len(tail)], wrong[len(lead):len(wrong) - len(tail)]
        either = f"{lead}(if crate::faulty::on({number}) {{ {wrong} }} else {{ {was} }}){tail}"
        path.write_text(text.replace(fault["at"], fault["at"].replace(fault["was"], either)))


def built(tree, target):
    command = ["cargo", "test", "--locked", "--test", "simulator", "--no-run", "--message-format", "short"]
    done = subprocess.run(command, cwd=tree, env=target, capture_output=True, text=True)
    if done.returncode:
        sys.exit("\n".join(line for line in done.stderr.splitlines() if "error" in line))
    return re.search(r"Executable .*\((.*)\)", done.stderr).group(1)


def caught(binary, tree, number, histories):
    """The first seed that fails with this fault, or None."""
    fault = {"ACCRUED_FAULT": str(number), "ACCRUED_HISTORIES": str(histories), "ACCRUED_SHRINK_SECONDS": "0"}
    env = {**os.environ, **fault, "RUST_BACKTRACE": "0"}
    done = subprocess.run([binary, "histories_are"], cwd=tree, env=env, capture_output=True, text=True)
    seed = re.search(r"^seed (\d+)$", done.stdout, re.M)
    how = re.search(r"panicked at .*\n(.*)", done.stdout)
    return (seed.group(1), how.group(1)) if done.returncode and seed else None


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--histories", type=int, default=2000)
    asked.add_argument("--target", default=str(ROOT / "target/faults"))
    asked.add_argument("words", nargs="*")
    asked = asked.parse_args()
    faults = tomllib.loads((ROOT / "tests/faults/list.toml").read_text())["fault"]
    target = {**os.environ, "CARGO_TARGET_DIR": asked.target}
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder) / "accrued"
        ignored = shutil.ignore_patterns("target", ".git", "var")
        shutil.copytree(ROOT, tree, ignore=ignored)
        planted(tree, faults)
        binary = built(tree, target)
        missed = 0
        for number, fault in enumerate(faults, 1):
            if asked.words and not any(word in fault["name"] for word in asked.words):
                continue
            start = time.monotonic()
            found = caught(binary, tree, number, asked.histories)
            seconds = time.monotonic() - start
            missed += found is None
            told = f"seed {found[0]}: {found[1]}" if found else "NOT CAUGHT"
            print(f"{number:2} {fault['name']}\n   {seconds:.0f} s, {told[:150]}", flush=True)
    print(f"{missed} not caught" if missed else "all caught")
    sys.exit(1 if missed else 0)


main()
