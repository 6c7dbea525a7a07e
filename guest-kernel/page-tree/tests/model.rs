//! Long random runs over many spaces, compared with a plain model after each step; frames run out at each point.
mod arena;
mod world;

use arena::Arena;
use page_tree::{OutOfFrames, Space};
use world::World;

fn run(seed: u64, steps: u32) {
    let mut world = World::new(seed);
    for _ in 0..steps {
        world.step();
    }
    world.end();
}

#[test]
fn random_runs_agree_with_the_model() {
    for seed in 0..6 {
        println!("seed {seed}");
        run(seed, 200);
    }
}

#[test]
fn a_long_run_agrees_with_the_model() {
    run(0x00c0_ffee, 1000);
}

#[test]
fn running_out_is_an_error_from_the_start() {
    let mut arena = Arena::new();
    arena.left = Some(0);
    assert_eq!(Space::new(&mut arena).err(), Some(OutOfFrames));
}
