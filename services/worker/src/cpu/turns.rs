//! Whose piece is next. Flows take weighted turns, as they do in the job queues, so that a lone job's piece waits for what
//! is being worked on and not for all that came before it. A more urgent flow has more turns; none is starved.

use std::collections::{HashMap, VecDeque};

use millrace_contracts::job::Priority;
use millrace_contracts::{Flow, Job};

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Turn {
    flow: Flow,
    priority: Priority,
}

impl Turn {
    /// Of a job's flow.
    pub(crate) fn of(job: &Job) -> Self {
        Self { flow: job.flow.clone(), priority: job.priority }
    }

    /// How far a turn takes it: the less, the more turns it has.
    fn stride(&self) -> u64 {
        /// Divisible by every weight, 1 to 16, times every urgency.
        const STRIDE: u64 = 720_720 * 64;
        let urgency = match self.priority {
            Priority::High => 64,
            Priority::Normal => 8,
            Priority::Low => 1,
        };
        STRIDE / (urgency * u64::from(self.flow.weight.max(1)))
    }
}

/// What waits, by flow. A flow comes in at the present turn: nobody saves anything up, and nobody waits for a round that is
/// under way.
#[derive(Debug)]
pub(super) struct Turns<T> {
    /// Never holds an empty line.
    lines: HashMap<Turn, Line<T>>,
    /// The turn of whoever was served last.
    present: u64,
    /// Numbers flows as they come in, for those at the same turn.
    comers: u64,
}

#[derive(Debug)]
struct Line<T> {
    at: u64,
    came: u64,
    pieces: VecDeque<T>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { lines: HashMap::new(), present: 0, comers: 0 }
    }
}

impl<T> Turns<T> {
    /// Puts a piece behind those of its flow.
    pub(super) fn push(&mut self, turn: Turn, piece: T) {
        let Self { lines, present, comers } = self;
        let line = lines.entry(turn).or_insert_with(|| {
            *comers += 1;
            Line { at: *present, came: *comers, pieces: VecDeque::new() }
        });
        line.pieces.push_back(piece);
    }

    /// Takes the piece whose turn it is.
    pub(super) fn next(&mut self) -> Option<T> {
        let first =
            self.lines.iter().min_by_key(|(_, line)| (line.at, line.came)).map(|(turn, _)| turn.clone())?;
        let line = self.lines.get_mut(&first)?;
        let piece = line.pieces.pop_front();
        self.present = line.at;
        line.at += first.stride();
        if line.pieces.is_empty() {
            self.lines.remove(&first);
        }
        piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(id: &str, weight: u8, priority: Priority) -> Turn {
        Turn { flow: Flow { id: id.to_owned(), weight }, priority }
    }

    fn drain(turns: &mut Turns<&'static str>, count: usize) -> String {
        (0..count).filter_map(|_| turns.next()).collect()
    }

    #[test]
    fn a_newcomer_is_next_and_then_takes_turns() {
        let (batch, lone) = (turn("batch", 1, Priority::Normal), turn("lone", 1, Priority::Normal));
        let mut turns = Turns::default();
        (0..20).for_each(|_| turns.push(batch.clone(), "b"));
        assert_eq!(drain(&mut turns, 5), "bbbbb");
        (0..3).for_each(|_| turns.push(lone.clone(), "L"));
        assert_eq!(drain(&mut turns, 7), "LbLbLbb");
        assert_eq!(drain(&mut turns, 99), "b".repeat(11));
        assert_eq!(turns.next(), None);
    }

    #[test]
    fn turns_are_as_many_as_weight_and_urgency_say() {
        let mut turns = Turns::default();
        let heavy = turn("heavy", 3, Priority::Normal);
        let (light, low) = (turn("light", 1, Priority::Normal), turn("low", 1, Priority::Low));
        for _ in 0..1_000 {
            turns.push(heavy.clone(), "h");
            turns.push(light.clone(), "l");
            turns.push(low.clone(), "-");
        }
        let served = drain(&mut turns, 330);
        let count = |piece: char| served.chars().filter(|one| *one == piece).count();
        assert!(count('h').abs_diff(240) <= 2 && count('l').abs_diff(80) <= 2, "{served}");
        assert!(count('-').abs_diff(10) <= 2, "the least urgent has its share: {served}");
    }
}
