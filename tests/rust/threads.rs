//! What Rust's standard library makes of threads, and processes among them.
use std::cell::Cell;
use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::{Duration, Instant};

thread_local! {
    static MINE: Cell<u32> = const { Cell::new(1) };
}

struct Leaves(&'static str);

impl Drop for Leaves {
    fn drop(&mut self) {
        println!("{} is dropped", self.0);
    }
}

fn main() {
    if let Some(how) = std::env::args().nth(1) {
        println!("run again to {how}");
        std::process::exit(7);
    }
    channels();
    scopes();
    locks();
    panics();
    locals();
    parks();
    commands();
}

fn channels() {
    let (sender, receiver) = channel();
    let threads: Vec<_> = (0..4_u64)
        .map(|of| {
            let sender = sender.clone();
            thread::spawn(move || {
                for i in 0..50 {
                    sender.send(of * 100 + i).unwrap();
                }
                of
            })
        })
        .collect();
    drop(sender);
    let sum: u64 = receiver.iter().sum();
    let joined: u64 = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    println!("through a channel: {sum}, {joined}");

    let (sender, receiver) = sync_channel(1);
    let thread = thread::spawn(move || (0..40).for_each(|i| sender.send(i).unwrap()));
    println!(
        "one at a time: {}",
        receiver.iter().map(|i: i32| i * i).sum::<i32>()
    );
    thread.join().unwrap();
    let (sender, receiver) = channel::<()>();
    println!(
        "in time: {:?}",
        receiver.recv_timeout(Duration::from_millis(5))
    );
    drop(sender);
    println!("afterwards: {:?}", receiver.recv());
}

fn scopes() {
    let mut words = HashMap::new();
    let text = ["one", "two", "three", "two", "three", "three"];
    let counts: Vec<_> = thread::scope(|scope| {
        let halves: Vec<_> = text
            .chunks(3)
            .map(|half| scope.spawn(move || half.iter().map(|word| (*word, 1)).collect::<Vec<_>>()))
            .collect();
        halves
            .into_iter()
            .flat_map(|half| half.join().unwrap())
            .collect()
    });
    for (word, count) in counts {
        *words.entry(word).or_insert(0) += count;
    }
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_unstable();
    println!("{words:?}");
}

fn locks() {
    let barrier = Arc::new(Barrier::new(3));
    let total = Arc::new(Mutex::new(0));
    let table = Arc::new(RwLock::new(vec![0; 3]));
    let leaders = Arc::new(AtomicU32::new(0));
    static ONCE: Once = Once::new();
    let threads: Vec<_> = (0..3)
        .map(|of| {
            let (barrier, total, table, leaders) = (
                barrier.clone(),
                total.clone(),
                table.clone(),
                leaders.clone(),
            );
            thread::spawn(move || {
                ONCE.call_once(|| println!("once"));
                for _ in 0..20 {
                    *total.lock().unwrap() += 1;
                    table.write().unwrap()[of] += 1;
                    assert!(table.read().unwrap()[of] > 0);
                }
                if barrier.wait().is_leader() {
                    leaders.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    println!(
        "{} in all, {:?}, {} leader",
        total.lock().unwrap(),
        table.read().unwrap(),
        leaders.load(Ordering::SeqCst)
    );
    let pair = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            *pair.0.lock().unwrap() = true;
            pair.1.notify_all();
        });
        let mut done = pair.0.lock().unwrap();
        while !*done {
            done = pair.1.wait(done).unwrap();
        }
        println!("notified");
    });
}

fn panics() {
    let poisoned = Arc::new(Mutex::new(()));
    let theirs = poisoned.clone();
    let thread = thread::Builder::new().name("doomed".into()).spawn(move || {
        let _leaves = Leaves("a value of the thread");
        let _guard = theirs.lock();
        std::panic::resume_unwind(Box::new("no message"));
    });
    let result = thread.unwrap().join();
    println!(
        "panicked: {}, {:?}",
        poisoned.is_poisoned(),
        result.unwrap_err().downcast_ref::<&str>()
    );
}

fn locals() {
    MINE.set(2);
    let theirs = thread::spawn(|| {
        MINE.set(MINE.get() + 10);
        MINE.get()
    });
    println!("{} and {}", theirs.join().unwrap(), MINE.get());
    println!("{:?}", thread::available_parallelism().is_ok());
}

fn parks() {
    let first = thread::current();
    let began = Instant::now();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(10));
        first.unpark();
    });
    thread::park();
    thread::park_timeout(Duration::from_millis(5));
    println!("slept: {}", began.elapsed() >= Duration::from_millis(5));
}

fn commands() {
    let outputs: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|of| {
                scope.spawn(move || {
                    Command::new("/proc/self/exe")
                        .arg(format!("speak {of}"))
                        .stdin(Stdio::null())
                        .output()
                        .unwrap()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for output in outputs {
        println!(
            "{:?}: {}",
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).trim()
        );
    }
    println!(
        "{:?}",
        Command::new("/there/is/nothing")
            .spawn()
            .map_err(|error| error.kind())
            .err()
    );
}
