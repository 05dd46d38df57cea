//! What waits, by flow. Rule: whoever has had the fewest turns since they came in is next.

use std::collections::{HashMap, VecDeque};

use crate::Turn;

/// What waits.
#[derive(Debug)]
pub struct Turns<T> {
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

/// The piece whose turn it is. It stays where it is until it is taken.
#[derive(Debug)]
pub struct Next<'a, T> {
    turns: &'a mut Turns<T>,
    whose: Turn,
    place: usize,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { lines: HashMap::new(), present: 0, comers: 0 }
    }
}

impl<T> Turns<T> {
    /// Puts a piece behind those of its flow.
    pub fn push(&mut self, turn: Turn, piece: T) {
        let Self { lines, present, comers } = self;
        let line = lines.entry(turn).or_insert_with(|| {
            *comers += 1;
            Line { at: *present, came: *comers, pieces: VecDeque::new() }
        });
        line.pieces.push_back(piece);
    }

    /// Takes the piece whose turn it is.
    pub fn take(&mut self) -> Option<T> {
        self.next(|_| true).map(Next::take)
    }

    /// The piece whose turn it is among those that are `wanted`. Looks at all that waits when none is.
    pub fn next(&mut self, wanted: impl Fn(&T) -> bool) -> Option<Next<'_, T>> {
        let place = |line: &Line<T>| line.pieces.iter().position(&wanted);
        let found =
            self.lines.iter().filter_map(|(turn, line)| Some((line.at, line.came, turn, place(line)?)));
        let (_, _, whose, place) = found.min_by_key(|(at, came, ..)| (*at, *came))?;
        let whose = whose.clone();
        Some(Next { turns: self, whose, place })
    }

    /// Drops what is not to be kept, at no flow's cost.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.lines.retain(|_, line| {
            line.pieces.retain(&keep);
            !line.pieces.is_empty()
        });
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl<T> Next<'_, T> {
    /// The piece.
    #[must_use]
    pub fn piece(&self) -> &T {
        &self.turns.lines[&self.whose].pieces[self.place]
    }

    /// Takes it, which costs its flow a turn.
    #[must_use]
    pub fn take(self) -> T {
        let Self { turns, whose, place } = self;
        let line = turns.lines.get_mut(&whose).expect("a line that was found stays while it is looked at");
        let piece = line.pieces.remove(place).expect("a piece that was found stays while it is looked at");
        turns.present = line.at;
        line.at += whose.stride();
        if line.pieces.is_empty() {
            turns.lines.remove(&whose);
        }
        piece
    }
}

#[cfg(test)]
mod tests {
    use millrace_contracts::Flow;
    use millrace_contracts::job::Priority;

    use super::*;

    fn turn(id: &str, weight: u8, priority: Priority) -> Turn {
        Turn { flow: Flow { id: id.to_owned(), weight }, priority }
    }

    fn drain(turns: &mut Turns<&'static str>, count: usize) -> String {
        (0..count).filter_map(|_| turns.take()).collect()
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
        assert!(turns.take().is_none() && turns.is_empty());
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

    #[test]
    fn only_what_is_wanted_is_found_and_what_is_dropped_costs_no_turn() {
        let (one, two) = (turn("1", 1, Priority::Normal), turn("2", 1, Priority::Normal));
        let mut turns = Turns::default();
        ["a", "X", "b"].into_iter().for_each(|piece| turns.push(one.clone(), piece));
        ["c", "Y"].into_iter().for_each(|piece| turns.push(two.clone(), piece));
        let upper = |piece: &&str| piece.chars().all(char::is_uppercase);
        let next = turns.next(upper).unwrap();
        assert_eq!((*next.piece(), next.take()), ("X", "X"));
        assert_eq!(turns.next(upper).unwrap().take(), "Y");
        assert!(turns.next(upper).is_none());
        turns.retain(|piece| *piece != "a");
        assert_eq!(drain(&mut turns, 9), "bc");
    }
}
