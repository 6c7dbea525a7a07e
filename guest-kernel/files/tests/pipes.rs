//! Pipes and FIFOs: order, atomic writes, ends, who is woken.
mod machine;

use contract::Errno;
use files::{PIPE_BUF, PIPE_CAPACITY, Readiness, Step, Transfer, WaitFor};
use linux_raw_sys::general as linux;
use machine::{Machine, Random};
use std::collections::VecDeque;
use std::num::NonZeroU16;

fn pipe(m: &mut Machine, flags: u32) -> [u32; 2] {
    m.files.pipe2(&mut m.pages, &mut m.table, flags).unwrap()
}

/// Lets a process stand in a queue.
fn stand(m: &mut Machine, queue: WaitFor) {
    m.files.wait_queue_mut(queue).unwrap().ends = Some((NonZeroU16::MIN, NonZeroU16::MIN));
}

fn ready(m: &Machine, fd: u32) -> u32 {
    match m.files.ready(m.table.get(fd).unwrap()) {
        Ok(Readiness::Events(events)) => u32::from(events),
        other => panic!("{other:?}"),
    }
}

#[test]
fn random_traffic_matches_a_queue() {
    for seed in 0..15 {
        let mut random = Random(seed);
        let mut m = Machine::new();
        let [reader, writer] = pipe(&mut m, 0);
        let mut model = VecDeque::new();
        for _ in 0..400 {
            if random.below(2) == 0 {
                let bound = [10, 5000, 70_000][random.below(3)];
                let bytes = random.bytes(bound);
                let mut transfer = Transfer::new(bytes.len());
                let piece = 1 + random.below(5000);
                let step = m.write_pieces(writer, &bytes, piece, &mut transfer);
                let room = PIPE_CAPACITY - model.len();
                let taken = if bytes.len() <= PIPE_BUF && bytes.len() > room {
                    0
                } else {
                    bytes.len().min(room)
                };
                assert_eq!(transfer.done, taken, "seed {seed}");
                assert_eq!(taken == bytes.len(), matches!(step, Step::Done(_)));
                model.extend(&bytes[..taken]);
            } else {
                let length = random.below(20_000);
                let piece = 1 + random.below(5000);
                match m.read_pieces(reader, length, piece) {
                    Step::Done(Ok(bytes)) => {
                        let taken: Vec<u8> = model.drain(..length.min(model.len())).collect();
                        assert_eq!(bytes, taken);
                    }
                    Step::Wait(WaitFor::PipeReadable(_)) => assert!(model.is_empty()),
                    step => panic!("{step:?}"),
                }
            }
            assert!(m.pages.out <= model.len().div_ceil(4096) + 2);
        }
        m.close(writer).unwrap();
        let rest = m.read(reader, 1 << 20).unwrap();
        assert!(rest.iter().eq(&model));
        assert_eq!(m.read(reader, 10), Ok(vec![]));
        m.close(reader).unwrap();
        assert_eq!(m.pages.out, 0);
        m.finish();
    }
}

#[test]
fn ends() {
    let mut m = Machine::new();
    let [reader, writer] = pipe(&mut m, linux::O_NONBLOCK | linux::O_CLOEXEC);
    assert_eq!((reader, writer), (0, 1));
    assert_eq!(m.read(reader, 1), Err(Errno::EAGAIN));
    assert_eq!(m.read(reader, 0), Ok(vec![]));
    assert_eq!(m.read(writer, 1), Err(Errno::EBADF));
    assert_eq!(m.write(reader, b"x"), Err(Errno::EBADF));
    assert_eq!(m.seek(reader, 0, linux::SEEK_CUR), Err(Errno::ESPIPE));
    assert_eq!(m.write(writer, &[1; PIPE_CAPACITY + 5]), Ok(PIPE_CAPACITY));
    assert_eq!(m.write(writer, b"x"), Err(Errno::EAGAIN));
    assert_eq!(ready(&m, writer), 0);
    assert_eq!(ready(&m, reader), linux::POLLIN | linux::POLLRDNORM);
    assert_eq!(m.read(reader, 4000).map(|bytes| bytes.len()), Ok(4000));
    // Room for 4000 bytes: not for 4096 at once, but for part of more.
    assert_eq!(m.write(writer, &[2; PIPE_BUF]), Err(Errno::EAGAIN));
    assert_eq!(m.write(writer, &[2; PIPE_BUF + 1]), Ok(4000));
    assert_eq!(
        m.read(reader, 1 << 20).map(|bytes| bytes.len()),
        Ok(PIPE_CAPACITY)
    );
    assert_eq!(m.pages.out, 1);
    let attributes = m.files.description_attributes(m.table.get(reader).unwrap());
    assert_eq!(attributes.unwrap().mode, linux::S_IFIFO | 0o600);
    m.close(reader).unwrap();
    assert_eq!(m.write(writer, b"x"), Err(Errno::EPIPE));
    assert_eq!(m.write(writer, b""), Ok(0));
    assert_eq!(ready(&m, writer) & linux::POLLERR, linux::POLLERR);
    m.close(writer).unwrap();
    assert_eq!(m.pages.out, 0);
    assert_eq!(
        m.files.pipe2(&mut m.pages, &mut m.table, linux::O_APPEND),
        Err(Errno::EINVAL)
    );
    m.finish();
}

#[test]
fn small_writes_are_whole_over_pieces() {
    let mut m = Machine::new();
    let [reader, writer] = pipe(&mut m, 0);
    assert_eq!(
        m.write(writer, &[0; PIPE_CAPACITY - 10]),
        Ok(PIPE_CAPACITY - 10)
    );
    let mut transfer = Transfer::new(20);
    // Ten bytes would fit, but the call is for twenty.
    let step = m.write_pieces(writer, &[7; 20], 8, &mut transfer);
    assert!(matches!(step, Step::Wait(WaitFor::PipeWritable(_))));
    assert_eq!(transfer.done, 0);
    m.read(reader, 10).unwrap();
    let step = m.write_pieces(writer, &[7; 20], 8, &mut transfer);
    assert_eq!(step, Step::Done(Ok(20)));
    m.finish();
}

#[test]
fn a_large_write_goes_on_where_it_waited() {
    let mut m = Machine::new();
    let [reader, writer] = pipe(&mut m, 0);
    let bytes: Vec<u8> = (0..200_000u32).map(|n| (n / 7) as u8).collect();
    let mut transfer = Transfer::new(bytes.len());
    let mut got = Vec::new();
    let result = loop {
        match m.write_pieces(writer, &bytes, 4096, &mut transfer) {
            Step::Done(result) => break result,
            Step::Wait(queue @ WaitFor::PipeWritable(_)) => {
                stand(&mut m, queue);
                got.extend(m.read(reader, 30_000).unwrap());
                assert_eq!(m.wakeups(), [queue]);
                m.files.wait_queue_mut(queue).unwrap().ends = None;
            }
            step => panic!("{step:?}"),
        }
    };
    assert_eq!(result, Ok(200_000));
    got.extend(m.read(reader, 1 << 20).unwrap());
    assert_eq!(got, bytes);
    // A reader that goes in the middle leaves what was written as the result.
    let mut transfer = Transfer::new(bytes.len());
    let step = m.write_pieces(writer, &bytes, 4096, &mut transfer);
    assert!(matches!(step, Step::Wait(_)));
    m.close(reader).unwrap();
    let step = m.write_pieces(writer, &bytes, 4096, &mut transfer);
    assert_eq!(step, Step::Done(Ok(PIPE_CAPACITY)));
    m.finish();
}

#[test]
fn wakeups() {
    let mut m = Machine::new();
    let pipes: Vec<[u32; 2]> = (0..20).map(|_| pipe(&mut m, 0)).collect();
    m.write(pipes[0][1], b"nobody waits").unwrap();
    assert_eq!(m.wakeups(), []);
    let mut queues = Vec::new();
    for [reader, _] in &pipes[1..] {
        let Step::Wait(queue) = m.read_pieces(*reader, 1, 1) else {
            panic!("there is nothing to read");
        };
        stand(&mut m, queue);
        queues.push(queue);
    }
    stand(&mut m, WaitFor::Readiness);
    // One is written to, one loses both ends while it is to be woken, the others lose their writer.
    m.write(pipes[1][1], b"x").unwrap();
    m.close(pipes[2][1]).unwrap();
    m.close(pipes[2][0]).unwrap();
    for [_, writer] in &pipes[3..] {
        m.close(*writer).unwrap();
    }
    let mut woken = m.wakeups();
    woken.sort();
    queues.remove(1);
    queues.push(WaitFor::Readiness);
    assert_eq!(woken, queues);
    assert_eq!(m.wakeups(), []);
    m.finish();
}

#[test]
fn without_frames() {
    let mut m = Machine::new();
    let [reader, writer] = pipe(&mut m, 0);
    m.pages.left = 0;
    assert_eq!(m.write(writer, b"x"), Err(Errno::ENOMEM));
    m.pages.left = 1;
    m.write(writer, &[1; 4000]).unwrap();
    // Crosses into a page that cannot be had: nothing of it may go in.
    assert_eq!(m.write(writer, &[2; 200]), Err(Errno::ENOMEM));
    assert_eq!(m.write(writer, &[2; 5000]), Ok(96));
    assert_eq!(m.read(reader, 9000).map(|bytes| bytes.len()), Ok(4096));
    m.finish();
}

#[test]
fn fifos() {
    let mut m = Machine::new();
    let view = Machine::view(&m.processes);
    let mode = linux::S_IFIFO | 0o666;
    let node = files::Node::parse(mode, 0).unwrap();
    m.files.mknod(&view, b"f", node).unwrap();
    assert_eq!(m.stat("f").unwrap().mode, linux::S_IFIFO | 0o644);
    assert_eq!(
        m.open("f", linux::O_WRONLY | linux::O_NONBLOCK),
        Err(Errno::ENXIO)
    );
    let (mut reading, mut writing) = (0, 0);
    let Step::Wait(reads) = m.open_step("f", 0, &mut reading) else {
        panic!("there is no writer");
    };
    stand(&mut m, reads);
    let writer = m.open_step("f", linux::O_WRONLY, &mut writing);
    assert_eq!(writer, Step::Done(Ok(1)));
    assert_eq!(m.wakeups(), [reads]);
    // The writer writes and goes before the reader has run: it was there, so the reader's open ends.
    m.write(1, b"hello").unwrap();
    m.close(1).unwrap();
    assert_eq!(m.open_step("f", 0, &mut reading), Step::Done(Ok(0)));
    assert_eq!(m.read(0, 10), Ok(b"hello".to_vec()));
    assert_eq!(m.read(0, 10), Ok(vec![]));
    assert_eq!(m.open("f", linux::O_WRONLY | linux::O_NONBLOCK), Ok(1));
    m.close(0).unwrap();
    assert_eq!(m.write(1, b"x"), Err(Errno::EPIPE));
    m.close(1).unwrap();
    assert_eq!(m.open("f", linux::O_RDWR), Ok(0));
    assert_eq!(m.write(0, b"self"), Ok(4));
    assert_eq!(m.read(0, 9), Ok(b"self".to_vec()));
    m.unlink("f").unwrap();
    m.close(0).unwrap();
    assert_eq!(m.pages.out, 0);
    m.finish();
}
