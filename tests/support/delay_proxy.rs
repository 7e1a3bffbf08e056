//! A TCP proxy on loopback that adds a round trip to what passes through it, and can break connections on purpose.
//!
//! Each direction has a reader and a writer thread with a queue between them: a piece is written half a round trip
//! after it came. Bandwidth is not limited, nothing is polled.
#![allow(dead_code, reason = "each test program uses its part of it")]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Pieces in a queue: at 64 KiB each more than any window.
const QUEUE: usize = 1024;

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// it lives as long as its ends want
    Whole,
    /// both ends are cut off once so many bytes have come from the server
    CutAfter(u64),
    /// nothing more comes from the server after so many bytes, and nobody is told
    StallAfter(u64),
    /// nothing more comes from the server after so many bytes, until `resume`
    PauseAfter(u64),
}

/// What a pause waits for.
type Gate = Arc<(Mutex<bool>, Condvar)>;

/// A running proxy; it takes no new connections once it is dropped.
pub struct DelayProxy {
    /// where to connect to
    pub addr: SocketAddr,
    fates: Arc<Mutex<VecDeque<Fate>>>,
    gate: Gate,
    passed: Arc<AtomicU64>,
}

impl DelayProxy {
    /// Passes on to `target`; every byte takes half of `round_trip`.
    pub fn start(target: SocketAddr, round_trip: Duration) -> DelayProxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let addr = listener.local_addr().expect("bound");
        let fates = Arc::new(Mutex::new(VecDeque::new()));
        let ends = Arc::downgrade(&fates);
        let gate = Gate::default();
        let theirs = Arc::clone(&gate);
        let passed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&passed);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Some(fates) = ends.upgrade() else { return };
                let fate = fates.lock().expect("no panic").pop_front().unwrap_or(Fate::Whole);
                // a server that is gone is what some tests are about
                if let Ok(server) = TcpStream::connect(target) {
                    join(&client, &server, round_trip / 2, fate, (&theirs, &count));
                }
            }
        });
        DelayProxy { addr, fates, gate, passed }
    }

    /// Bytes that have come from the server so far, over all connections.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Ends every pause, also those to come.
    pub fn resume(&self) {
        *self.gate.0.lock().expect("no panic") = true;
        self.gate.1.notify_all();
    }

    /// The fate of the next connection that has none yet.
    pub fn next(&self, fate: Fate) {
        self.fates.lock().expect("no panic").push_back(fate);
    }
}

impl Drop for DelayProxy {
    fn drop(&mut self) {
        self.fates = Arc::default();
        // wakes the listener, which then sees that nobody wants it any more
        let _ = TcpStream::connect(self.addr);
    }
}

fn join(client: &TcpStream, server: &TcpStream, delay: Duration, fate: Fate, site: Site<'_>) {
    for tcp in [client, server] {
        tcp.set_nodelay(true).expect("a socket");
    }
    one_way(client, server, delay, Fate::Whole, (site.0, &Arc::default()));
    one_way(server, client, delay, fate, site);
}

/// What a pause waits for, and where bytes are counted.
type Site<'s> = (&'s Gate, &'s Arc<AtomicU64>);

type Piece = (Instant, Vec<u8>);

fn one_way(from: &TcpStream, to: &TcpStream, delay: Duration, fate: Fate, (gate, passed): Site<'_>) {
    let (queue, pieces) = sync_channel::<Piece>(QUEUE);
    let (mut source, mut sink) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
    std::thread::spawn(move || read_all(&mut source, delay, &queue));
    let (gate, passed) = (Arc::clone(gate), Arc::clone(passed));
    std::thread::spawn(move || write_all(&mut sink, &pieces, fate, (&gate, &passed)));
}

fn read_all(source: &mut TcpStream, delay: Duration, queue: &SyncSender<Piece>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(got @ 1..) = source.read(&mut buffer) {
        if queue.send((Instant::now() + delay, buffer[..got].to_vec())).is_err() {
            return;
        }
    }
}

fn write_all(sink: &mut TcpStream, pieces: &Receiver<Piece>, fate: Fate, (gate, passed): Site<'_>) {
    let mut left = match fate {
        Fate::Whole => u64::MAX,
        Fate::CutAfter(bytes) | Fate::StallAfter(bytes) | Fate::PauseAfter(bytes) => bytes,
    };
    while let Ok((due, piece)) = pieces.recv() {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        if sink.write_all(&piece[..now]).is_err() {
            break;
        }
        left -= now as u64;
        passed.fetch_add(now as u64, Ordering::Relaxed);
        if left > 0 {
            continue;
        }
        match fate {
            Fate::Whole | Fate::CutAfter(_) => break,
            Fate::StallAfter(_) => {
                // keeps the queue alive, so that the server's end stays open, until the server hangs up
                while pieces.recv().is_ok() {}
                break;
            }
            Fate::PauseAfter(_) => {
                let open = gate.0.lock().expect("no panic");
                drop(gate.1.wait_while(open, |open| !*open).expect("no panic"));
                left = u64::MAX;
                if sink.write_all(&piece[now..]).is_err() {
                    break;
                }
            }
        }
    }
    let how = match fate {
        // whoever is cut off reads all that had come: were writing to fail first, it would be chance how much that is
        Fate::CutAfter(_) => Shutdown::Write,
        Fate::Whole | Fate::StallAfter(_) | Fate::PauseAfter(_) => Shutdown::Both,
    };
    let _ = sink.shutdown(how);
}
