//! A fault in words, from what was tried down to its cause.
//!
//! Rule: nothing is said twice. Many texts hold those of their causes already.

use std::fmt::Write;

/// The story of `fault`, each cause after what it led to.
pub(crate) fn told(fault: &anyhow::Error) -> String {
    let mut story = String::new();
    for cause in fault.chain().map(ToString::to_string) {
        if story.is_empty() {
            story = cause;
        } else if !story.contains(&cause) {
            write!(story, ": {cause}").expect("a string takes what is written to it");
        }
    }
    story
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let refused = || anyhow!("connection refused");
        assert_eq!(told(&refused()), "connection refused");
        assert_eq!(
            told(&refused().context("cannot reach x: connection refused").context("no bus")),
            "no bus: cannot reach x: connection refused"
        );
        assert_eq!(told(&refused().context("cannot reach x")), "cannot reach x: connection refused");
    }
}
