//! The end of a run that is ended from outside: where files are to come out (`--export`), the guest is given a while to
//! send them.

use crate::channel::Listener;
use crate::ending::Ending;
use crate::interruption::{self, Interruption};
use crate::memory::Memory;
use std::time::{Duration, Instant};

/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long all may take: a guest that never ends sending must not keep the run from its end.
const LIMIT: Duration = Duration::from_secs(60);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What is known of the end.
#[derive(Default)]
pub enum Farewell {
    /// Nobody has asked for it.
    #[default]
    None,
    /// Files are on their way.
    Waits {
        /// Why the run is to end.
        why: Interruption,
        /// Bytes that the guest had sent at the last look.
        heard: u64,
        /// When that is given up.
        until: Instant,
        /// When it is, however much comes.
        limit: Instant,
    },
}

impl Farewell {
    /// Looks whether the run is to end: `Some` where it is, and nothing more is to come.
    pub fn look(&mut self, listener: &Listener, memory: &Memory) -> Option<Ending> {
        let why = interruption::pending()?;
        let now = Instant::now();
        match self {
            Self::None => {
                // From now on the engine looks up every so often.
                if !listener.want_files(memory) || interruption::set_timeout(LOOK).is_err() {
                    return Some(Ending::Interrupted(why));
                }
                *self = Self::Waits {
                    why,
                    heard: listener.heard(),
                    until: now + PATIENCE,
                    limit: now + LIMIT,
                };
            }
            Self::Waits {
                heard,
                until,
                limit,
                ..
            } => {
                if !listener.waits_for_files() || now > *until {
                    return Some(Ending::Interrupted(why));
                }
                if listener.heard() > *heard {
                    (*heard, *until) = (listener.heard(), (now + PATIENCE).min(*limit));
                }
            }
        }
        None
    }

    /// Whether the guest is waited for.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        matches!(self, Self::Waits { .. })
    }

    /// How a run ended that came to this: what the guest did when it was asked to end is no end of its own.
    #[must_use]
    pub fn ending(&self, ending: Ending) -> Ending {
        match (self, ending) {
            (Self::Waits { why, .. }, Ending::Guest(_)) => Ending::Interrupted(*why),
            (_, ending) => ending,
        }
    }
}
