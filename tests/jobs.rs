//! Job control at a terminal: the console is a controlling terminal, of the first process's session at first.

use crate::machine::compiled::{self, Library};
use crate::machine::pty::Session;
use crate::machine::{End, Machine, engines};

/// What `c/alone/jobs_terminal` says from first to last; what is echoed is in it.
const SCREEN: &str = "\
foreground 1, session 1
no such group: errno 3
a negative group: errno 22
background read: stopped by 21
tcsetpgrp: 0
continued: continued
ready 1
a line
read: a line
read in the foreground: exited with 0
read: errno 5
ignoring: exited with 9
written in the background
background write: exited with 0
with TOSTOP: stopped by 22
written in the background
in the foreground: exited with 0
taking the terminal: stopped by 22
taking the terminal: ended by 9
ignoring SIGTTOU: exited with 0
ready key 0
^Zthe key: stopped by 20
then: ended by 9
ready key 1
^Cthe key: ended by 2
ready key 2
^\\the key: ended by 3
setsid as a group's leader: errno 1
setsid: 1
/dev/tty: errno 6
tcgetpgrp: errno 25
TIOCSCTTY: errno 1
TIOCSCTTY, stealing: done
/dev/tty: done
in the foreground: 1, of my session: 1
the leader: exited with 0
the other session: exited with 0
hung up: 1, 41
tcgetpgrp: errno 25
TIOCSCTTY: 0
foreground 1
TIOCSCTTY, stealing: done
TIOCSWINSZ: done
resized: 1
giving it up: ended by 1
";

#[test]
fn jobs_read_write_stop_and_go_on() {
    let program = compiled::c("c/alone/jobs_terminal", Library::Musl);
    for &engine in engines() {
        let machine = Machine::on(engine)
            .add(&program, "/jobs")
            .program(["/jobs"]);
        let mut session = Session::start(&machine);
        for (ready, keys) in [
            ("ready 1", "a line\r"),
            ("ready key 0", "\x1a"),
            ("ready key 1", "\x03"),
            ("ready key 2", "\x1c"),
        ] {
            session.expect(ready);
            session.type_keys(keys.as_bytes());
        }
        let (end, screen) = session.end();
        assert_eq!(screen.replace("\r\n", "\n"), SCREEN);
        assert_eq!(end, End::Exited(5));
    }
}
