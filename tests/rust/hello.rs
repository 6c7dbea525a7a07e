//! A program on Rust's standard library.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};

fn main() {
    println!("hello from Rust, {:.2} {:?}", 1.5, "text");
    let argument = std::env::args().nth(1);
    println!("argument {argument:?}, NAME {:?}", std::env::var("NAME"));

    let mut counts: HashMap<u64, u64> = HashMap::new();
    for i in 0..10_000_u64 {
        *counts.entry(i * i % 97).or_default() += 1;
    }
    let sorted: BTreeMap<_, _> = counts.into_iter().collect();
    println!("{} kinds, first {:?}", sorted.len(), sorted.iter().next());
    let words: Vec<String> = (0..5000).map(|i| format!("{i:x}")).collect();
    println!("{} bytes", words.join(" ").len());
    let big = vec![7_u8; 8 << 20];
    println!("{}", big.iter().map(|&b| u64::from(b)).sum::<u64>());

    let path = format!("/tmp/rust_hello.{}", std::process::id());
    let mut file = std::fs::File::create(&path).expect("a file");
    writeln!(file, "written").expect("room");
    drop(file);
    let mut text = String::new();
    std::fs::File::open(&path)
        .expect("the file")
        .read_to_string(&mut text)
        .expect("its text");
    println!("{text:?}");
    std::fs::remove_file(&path).expect("the file");
    println!(
        "{:?}",
        std::fs::File::open("/no/such/file")
            .map_err(|error| error.kind())
            .err()
    );

    let caught = std::panic::catch_unwind(|| {
        std::panic::resume_unwind(Box::new("unwound"));
    });
    println!(
        "{:?}",
        caught
            .err()
            .and_then(|payload| payload.downcast_ref::<&str>().map(|text| text.to_string()))
    );
    match argument.as_deref() {
        Some("panic") => {
            // The usual hook names the thread by a number that is free.
            std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
            panic!("as asked")
        }
        Some("exit") => std::process::exit(17),
        _ => {}
    }
}
