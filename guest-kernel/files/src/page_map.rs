//! The pages of a file by index: a sparse radix tree, so that a file of a terabyte with one page costs a few small blocks.
use alloc::boxed::Box;

const FAN_OUT_BITS: u32 = 6;
const FAN_OUT: usize = 1 << FAN_OUT_BITS;

#[derive(Debug)]
struct Level<T> {
    /// Bit n is set where `slots[n]` is filled: emptying looks only there.
    live: u64,
    slots: [Option<T>; FAN_OUT],
}

impl<T> Level<T> {
    fn new() -> Box<Self> {
        Box::new(Self {
            live: 0,
            slots: [const { None }; FAN_OUT],
        })
    }
}

#[derive(Debug)]
enum Node<P> {
    Leaf(Box<Level<P>>),
    Branch(Box<Level<Node<P>>>),
}

/// A sparse map from page index to page.
#[derive(Debug)]
pub(crate) struct PageMap<P> {
    root: Option<Node<P>>,
    /// Levels below the root pointer: `height` levels reach indices below 64 to the power of `height`.
    height: u32,
    pages: u64,
}

fn digit(index: u64, level: u32) -> usize {
    (index >> (FAN_OUT_BITS * level)) as usize % FAN_OUT
}

impl<P> PageMap<P> {
    pub(crate) const fn new() -> Self {
        Self {
            root: None,
            height: 0,
            pages: 0,
        }
    }

    /// How many pages there are.
    pub(crate) fn len(&self) -> u64 {
        self.pages
    }

    fn reaches(&self, index: u64) -> bool {
        index >> (FAN_OUT_BITS * self.height) == 0
    }

    pub(crate) fn get(&self, index: u64) -> Option<&P> {
        if !self.reaches(index) {
            return None;
        }
        let mut node = self.root.as_ref()?;
        let mut level = self.height;
        loop {
            level = level.checked_sub(1)?;
            match node {
                Node::Leaf(leaf) => return leaf.slots[digit(index, level)].as_ref(),
                Node::Branch(branch) => node = branch.slots[digit(index, level)].as_ref()?,
            }
        }
    }

    pub(crate) fn get_mut(&mut self, index: u64) -> Option<&mut P> {
        if !self.reaches(index) {
            return None;
        }
        let mut node = self.root.as_mut()?;
        let mut level = self.height;
        loop {
            level = level.checked_sub(1)?;
            match node {
                Node::Leaf(leaf) => return leaf.slots[digit(index, level)].as_mut(),
                Node::Branch(branch) => node = branch.slots[digit(index, level)].as_mut()?,
            }
        }
    }

    /// Puts a page where there is none; one that is there is handed back.
    pub(crate) fn insert(&mut self, index: u64, page: P) -> Option<P> {
        while self.height == 0 || !self.reaches(index) {
            if let Some(root) = self.root.take() {
                let mut branch = Level::new();
                branch.slots[0] = Some(root);
                branch.live = 1;
                self.root = Some(Node::Branch(branch));
            }
            self.height += 1;
        }
        let mut level = self.height;
        let mut place = &mut self.root;
        loop {
            level -= 1;
            let number = digit(index, level);
            let node = place.get_or_insert_with(|| match level {
                0 => Node::Leaf(Level::new()),
                _ => Node::Branch(Level::new()),
            });
            match node {
                Node::Leaf(leaf) => {
                    leaf.live |= 1 << number;
                    let before = leaf.slots[number].replace(page);
                    self.pages += u64::from(before.is_none());
                    return before;
                }
                Node::Branch(branch) => {
                    branch.live |= 1 << number;
                    place = &mut branch.slots[number];
                }
            }
        }
    }

    /// Takes the page at an index out. What led to it stays until the file is emptied.
    pub(crate) fn remove(&mut self, index: u64) -> Option<P> {
        if !self.reaches(index) {
            return None;
        }
        let mut node = self.root.as_mut()?;
        let mut level = self.height;
        loop {
            level = level.checked_sub(1)?;
            let number = digit(index, level);
            match node {
                Node::Leaf(leaf) => {
                    let page = leaf.slots[number].take()?;
                    leaf.live &= !(1 << number);
                    self.pages -= 1;
                    return Some(page);
                }
                Node::Branch(branch) => node = branch.slots[number].as_mut()?,
            }
        }
    }

    /// The least index with a page that is at least `from`.
    pub(crate) fn next_from(&self, from: u64) -> Option<u64> {
        if !self.reaches(from) {
            return None;
        }
        next_in(self.root.as_ref()?, self.height, 0, from)
    }

    /// Takes out the pages with an index of at least `first`.
    pub(crate) fn remove_from(&mut self, first: u64, take: &mut impl FnMut(P)) {
        if !self.reaches(first) {
            return;
        }
        let mut pages = 0;
        if let Some(root) = &mut self.root
            && clear(root, self.height, 0, first, &mut |page| {
                pages += 1;
                take(page);
            })
        {
            self.root = None;
            self.height = 0;
        }
        self.pages -= pages;
    }
}

/// Slots of a level that starts at index `base`, of those in `live` that hold an index of at least `from`.
fn at_least(live: u64, level: u32, base: u64, from: u64) -> u64 {
    let first = from.saturating_sub(base) >> (FAN_OUT_BITS * level);
    if first >= FAN_OUT as u64 {
        0
    } else {
        live & (u64::MAX << first)
    }
}

fn next_in<P>(node: &Node<P>, height: u32, base: u64, from: u64) -> Option<u64> {
    let level = height.checked_sub(1)?;
    let live = match node {
        Node::Leaf(leaf) => leaf.live,
        Node::Branch(branch) => branch.live,
    };
    let mut left = at_least(live, level, base, from);
    while left != 0 {
        let number = left.trailing_zeros();
        left &= left - 1;
        let start = base + (u64::from(number) << (FAN_OUT_BITS * level));
        match node {
            Node::Leaf(_) => return Some(start),
            Node::Branch(branch) => {
                if let Some(child) = &branch.slots[number as usize]
                    && let Some(found) = next_in(child, level, start, from)
                {
                    return Some(found);
                }
            }
        }
    }
    None
}

/// Empties what lies at or above `first`; whether nothing is left. Recursion is as deep as the tree is high: nine at most.
fn clear<P>(
    node: &mut Node<P>,
    height: u32,
    base: u64,
    first: u64,
    take: &mut impl FnMut(P),
) -> bool {
    let Some(level) = height.checked_sub(1) else {
        return false;
    };
    match node {
        Node::Leaf(leaf) => {
            let mut left = at_least(leaf.live, level, base, first);
            leaf.live &= !left;
            while left != 0 {
                if let Some(page) = leaf.slots[left.trailing_zeros() as usize].take() {
                    take(page);
                }
                left &= left - 1;
            }
            leaf.live == 0
        }
        Node::Branch(branch) => {
            let mut left = at_least(branch.live, level, base, first);
            while left != 0 {
                let number = left.trailing_zeros();
                left &= left - 1;
                let start = base + (u64::from(number) << (FAN_OUT_BITS * level));
                let slot = &mut branch.slots[number as usize];
                if slot
                    .as_mut()
                    .is_none_or(|child| clear(child, level, start, first, take))
                {
                    *slot = None;
                    branch.live &= !(1 << number);
                }
            }
            branch.live == 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn sparse_indices() {
        let mut map = PageMap::new();
        let indices = [0, 1, 63, 64, 4095, 4096, 1 << 20, (1 << 51) - 1];
        for index in indices {
            assert_eq!(map.insert(index, index), None);
        }
        assert_eq!(map.len(), 8);
        for index in indices {
            assert_eq!(map.get(index), Some(&index));
            assert_eq!(map.next_from(index), Some(index));
        }
        assert_eq!(map.get(2), None);
        assert_eq!(map.next_from(65), Some(4095));
        assert_eq!(map.next_from(4097), Some(1 << 20));
        let mut gone = Vec::new();
        map.remove_from(64, &mut |page| gone.push(page));
        assert_eq!(gone, indices[3..]);
        assert_eq!(map.next_from(2), Some(63));
        assert_eq!(map.next_from(64), None);
        map.remove_from(0, &mut |page| gone.push(page));
        assert_eq!((map.len(), map.height), (0, 0));
        assert_eq!(map.insert(5, 5), None);
        assert_eq!(map.get_mut(5), Some(&mut 5));
    }
}
