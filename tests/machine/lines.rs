//! Output compared with what is expected of it, line by line.

use super::Ran;

/// Whether a line is as expected, where `#` stands for a number, with blanks before it.
fn matches(line: &str, expected: &str) -> bool {
    let Some((before, after)) = expected.split_once('#') else {
        return line == expected;
    };
    let Some(rest) = line.strip_prefix(before) else {
        return false;
    };
    let number = rest.trim_start_matches(' ');
    let behind = number.trim_start_matches(|c: char| c.is_ascii_digit());
    behind.len() < number.len() && matches(behind, after)
}

/// The lines are these, in this order.
#[track_caller]
pub fn expect(ran: &Ran, expected: &[&str]) {
    let text = ran.text();
    assert!(text.is_empty() || text.ends_with('\n'), "{ran:?}");
    let lines: Vec<&str> = text.lines().collect();
    let right = lines.len() == expected.len()
        && lines
            .iter()
            .zip(expected)
            .all(|(line, expected)| matches(line, expected));
    assert!(right, "expected:\n{}\n{ran:?}", expected.join("\n"));
}

/// The lines are these, in any order.
#[track_caller]
pub fn expect_unordered(ran: &Ran, expected: &[&str]) {
    let text = ran.text();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let right = lines.len() == expected.len()
        && lines
            .iter()
            .zip(&expected)
            .all(|(line, expected)| matches(line, expected));
    assert!(
        right,
        "expected, in any order:\n{}\n{ran:?}",
        expected.join("\n")
    );
}

/// The text with every number replaced by `#`: what stays the same where times and speeds differ.
pub fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(rest[..at].trim_end_matches(' '));
        out.push('#');
        rest = rest[at..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    out
}

#[test]
fn numbers_stand_for_themselves() {
    assert!(matches("k =   7: 12 of 13", "k = #: # of #"));
    assert!(!matches("k = x", "k = #"));
    assert!(!matches("k = ", "k = #"));
    assert_eq!(without_numbers("a 12, b   7 c"), "a#, b# c");
}
