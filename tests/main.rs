//! The machine from outside: boots it with the real command, on every engine of this host, and looks.
//!
//! | what is looked at | module |
//! |---|---|
//! | the programs of the embedded root, line by line, and the tour | [`programs`], [`programs_ending`], [`tour`] |
//! | nine of them written in C, with two C libraries | [`c_programs`] |
//! | static programs that run on Linux too, compared with it | [`linux_programs`] |
//! | more of those: signals, job control, waiting, timers, limits | [`signals`] |
//! | more: threads and what they share, futexes | [`threads`] |
//! | more: memory that is shared, mapped, moved and limited; stacks | [`memory`] |
//! | more: files, descriptors, pipes, sockets | [`files`] |
//! | shell scripts, by static shells, compared with Linux | [`shell_scripts`] |
//! | job control at a terminal, and shells there, of cowbell and of Debian | [`jobs`], [`shell_command`], [`prompts`] |
//! | what Linux has no match for: pid 1, memory that runs out, limits | [`limits`] |
//! | corrupt kernels, initramfs, programs and options | [`bad_kernel`], [`bad_initramfs`], [`bad_program`], [`bad_options`] |
//! | system calls with hostile arguments | [`hostile_calls`] |
//! | exit statuses, the terminal | [`statuses`], [`terminal`] |
//! | standard output and input | [`output`], [`input`] |
//! | what `run` gives a program, takes out of the guest, and shows of its calls | [`run_options`], [`files_out`], [`strace`], [`strace_alike`] |
//! | figures, kernel and initramfs for other monitors, exact instruction counts | [`stats`], [`export_image`], [`icount`] |
//! | what processes cost, in instructions and frames, and that it all comes back | [`costs`] |
//! | the bench, and its reports | [`bench`] |
//!
//! `scripts/test` installs what they need: QEMU, a C compiler with static libraries, musl, an assembler. Where
//! /dev/kvm cannot be opened only QEMU's half runs, and says so; `COWBELL_TEST_REQUIRE_KVM=1` makes that a failure.

mod machine;

mod bad_initramfs;
mod bad_kernel;
mod bad_options;
mod bad_program;
mod bench;
mod c_programs;
mod costs;
mod export_image;
mod files;
mod files_out;
mod hostile_calls;
mod icount;
mod input;
mod jobs;
mod limits;
mod linux_programs;
mod memory;
mod output;
mod programs;
mod programs_ending;
mod prompts;
mod run_options;
mod shell_command;
mod shell_scripts;
mod signals;
mod stats;
mod statuses;
mod strace;
mod strace_alike;
mod terminal;
mod threads;
mod tour;
