//! One large file from a real OpenSSH server, many files, many names. In a program of its own: the peak of memory is the process's.

mod support {
    pub mod feed;
    pub mod sshd;
}

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::process::Command;
use std::time::{Duration, Instant};
use support::feed::{Store, only, open, settings, wanted};
use support::sshd::Sshd;

#[test]
fn three_hundred_megabytes_arrive_whole_and_memory_stays_flat() {
    const SIZE: u64 = 300_000_000;
    let server = Sshd::start();
    let mut file = File::create(server.outbound().join("large.csv")).expect("made");
    for number in 0..SIZE / 100_000_000 {
        file.seek(SeekFrom::Start(number * 100_000_000)).expect("there");
        file.write_all(&[u8::try_from(number).expect("small") + 1; 1_000_003]).expect("written");
    }
    file.set_len(SIZE).expect("sparse");
    drop(file);
    let store = Store::new();
    let mut open = open(settings(&server)).expect("open");
    let file = only(open.list().expect("listed"));
    let began = Instant::now();
    let taken = open.fetch(&file, &store.archive).expect("fetched");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(taken.size, SIZE);
    for path in [server.outbound().join("large.csv"), taken.path] {
        let out = Command::new("sha256sum").arg(path).output().expect("sha256sum");
        assert!(String::from_utf8_lossy(&out.stdout).starts_with(&taken.sha256));
    }
    peak_is_below(48);
    many_files_over_several_connections();
    peak_is_below(72);
    a_hundred_thousand_names();
    peak_is_below(144);
}

fn peak_is_below(mib: u64) {
    let peak = fs::read_to_string("/proc/self/status").expect("status");
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < mib * 1024, "{kib} KiB");
}

fn many_files_over_several_connections() {
    let server = Sshd::start();
    for number in 0..20_u8 {
        server.put(format!("part{number}.csv"), &vec![number; 10_000_000]);
    }
    let store = Store::new();
    let mut open = open(settings(&server)).expect("open");
    let listing = open.list().expect("listed");
    for (_, brought) in open.bring(wanted(listing), &store.archive, &|_| ()) {
        assert_eq!(brought.expect("brought").file.size, 10_000_000);
    }
    assert_eq!(store.files().len(), 20);
}

fn a_hundred_thousand_names() {
    let server = Sshd::start();
    for number in 0..100_000 {
        File::create(server.outbound().join(format!("sales_north_{number:06}.csv"))).expect("made");
    }
    let mut open = open(settings(&server)).expect("open");
    let began = Instant::now();
    let listing = open.list().expect("listed");
    assert_eq!(listing.files.len(), 100_000);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}
