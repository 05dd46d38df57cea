//! From text to syntax tree, within bounds that keep the parser's own recursion shallow.

use std::sync::{Arc, LazyLock};

use cel::common::types::DYN_TYPE;
use cel::{Env, IdedExpr, ParseError};

use super::deep::on_deep_stack;
use super::{ExpressionFault, meter};

/// Characters of an expression.
const MAX_CHARACTERS: usize = 4_096;

/// Brackets inside each other.
const MAX_NESTING: usize = 24;

/// Rules of the grammar inside each other, by the parser's own count.
const MAX_RECURSION: u16 = 96;

/// Operators, dots, commas and brackets in all.
const MAX_SYMBOLS: usize = 500;

/// Operators that apply to each other without a bracket between them: the parser recurses once for each.
const MAX_CHAIN: usize = 200;

/// The functions and types expressions see, and the meter's own.
pub(super) fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
        let mut env = Env::stdlib().with_optional_support(false);
        env.add_overload(meter::FUNCTION, "meter_dyn", vec![DYN_TYPE, DYN_TYPE, DYN_TYPE], meter::charge)
            .expect("no standard function has this name");
        Arc::new(env)
    });
    &ENVIRONMENT
}

/// Parses an expression.
pub(super) fn parse(source: &str) -> Result<IdedExpr, ExpressionFault> {
    // The generated parser takes up to a quarter of a megabyte of stack per bracket in an unoptimised build.
    let shape = bound(source)?;
    if shape.nesting <= 2 && shape.chain <= 32 {
        return read(source);
    }
    on_deep_stack(|| read(source)).unwrap_or_else(|error| Err(fault_at(source, 0, &error.to_string())))
}

fn read(source: &str) -> Result<IdedExpr, ExpressionFault> {
    let parsed = environment().parser().max_recursion_depth(MAX_RECURSION).parse(source);
    parsed.map_err(|errors| match errors.errors.first() {
        Some(error) => syntax_fault(source, error),
        None => fault_at(source, 0, "this is not an expression"),
    })
}

/// What decides how deep the parser recurses.
struct Shape {
    /// Brackets inside each other.
    nesting: usize,
    /// Operators in all.
    chain: usize,
}

/// Counts brackets and symbols outside of texts.
fn bound(source: &str) -> Result<Shape, ExpressionFault> {
    if source.chars().count() > MAX_CHARACTERS {
        let message = format!("the expression has more than {MAX_CHARACTERS} characters");
        return Err(fault_at(source, MAX_CHARACTERS, &message));
    }
    let (mut depth, mut deepest, mut symbols, mut chain) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut quote = None;
    let mut escaped = false;
    for (place, letter) in source.chars().enumerate() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if letter == '\\' {
                escaped = true;
            } else if letter == open {
                quote = None;
            }
            continue;
        }
        match letter {
            '"' | '\'' => quote = Some(letter),
            '(' | '[' | '{' => {
                depth += 1;
                symbols += 1;
                chain += 1;
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' => symbols += 1,
            '+' | '-' | '*' | '/' | '%' | '.' | '?' | ':' | '!' | '<' | '>' | '=' | '&' | '|' => {
                symbols += 1;
                chain += 1;
            }
            _ => {}
        }
        deepest = deepest.max(depth);
        if depth > MAX_NESTING {
            return Err(fault_at(source, place, &format!("brackets nest deeper than {MAX_NESTING}")));
        }
        if symbols > MAX_SYMBOLS || chain > MAX_CHAIN {
            let message = "the expression has too many operators: split it over several nodes";
            return Err(fault_at(source, place, message));
        }
    }
    Ok(Shape { nesting: deepest, chain })
}

fn syntax_fault(source: &str, error: &ParseError) -> ExpressionFault {
    let (line, column) = error.pos;
    let before = usize::try_from(line - 1).unwrap_or(0);
    let start = source.split('\n').take(before).map(|line| line.chars().count() + 1).sum::<usize>();
    let place = start + usize::try_from(column - 1).unwrap_or(0);
    if error.msg.contains("Recursion limit") {
        return fault_at(source, 0, "the expression nests too deep: split it over several nodes");
    }
    let message = error.msg.lines().next().unwrap_or_default().chars().take(200).collect::<String>();
    fault_at(source, place, &message)
}

/// A fault at a character, counted from 0.
pub(super) fn fault_at(source: &str, place: usize, message: &str) -> ExpressionFault {
    ExpressionFault { unknown_variable: false, message: message.to_owned(), hint: point_at(source, place) }
}

/// The line of `source` around a character (counted from 0), with a caret under it.
fn point_at(source: &str, place: usize) -> String {
    const SHOWN: usize = 100;
    let letters = source.chars().collect::<Vec<_>>();
    let place = place.min(letters.len());
    let start = letters[..place].iter().rposition(|letter| *letter == '\n').map_or(0, |newline| newline + 1);
    let end =
        letters[place..].iter().position(|letter| *letter == '\n').map_or(letters.len(), |rest| place + rest);
    let line = letters[..place].iter().filter(|letter| **letter == '\n').count() + 1;
    let from = start.max(place.saturating_sub(SHOWN / 2));
    let to = end.min(from + SHOWN);
    let text = letters[from..to].iter().map(|letter| if letter.is_control() { ' ' } else { *letter });
    let position = if line == 1 {
        format!("at character {}", place + 1)
    } else {
        format!("at line {line}, character {}", place - start + 1)
    };
    format!("{position}:\n{}\n{}^", text.collect::<String>(), " ".repeat(place - from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::{Call, Logic};

    fn hint(source: &str) -> String {
        parse(source).unwrap_err().hint
    }

    #[test]
    fn a_caret_stands_under_the_mistake() {
        assert_eq!(hint("item.confidence >="), "at character 19:\nitem.confidence >=\n                  ^");
        assert_eq!(hint("a &&\n  b c"), "at line 2, character 5:\n  b c\n    ^");
        assert_eq!(hint("\"grün\" == x )"), "at character 13:\n\"grün\" == x )\n            ^");
    }

    #[test]
    fn size_and_nesting_are_bounded() {
        assert!(parse(&"x".repeat(5_000)).is_err());
        assert!(parse(&format!("{}1{}", "(".repeat(60), ")".repeat(60))).is_err());
        assert!(parse(&format!("1{}", " + 1".repeat(600))).is_err());
        assert!(parse(&"!".repeat(600)).is_err());
        assert!(parse(&format!("\"{}\" == x", "(+".repeat(600))).is_ok());
    }

    #[test]
    fn the_largest_expressions_need_little_stack() {
        let sources = [
            format!("1{}", " + 1".repeat(MAX_CHAIN)),
            format!("{}x", "!".repeat(MAX_CHAIN)),
            format!("x{}", ".x".repeat(MAX_CHAIN)),
            format!("{}1{}", "(".repeat(MAX_NESTING), ")".repeat(MAX_NESTING)),
            format!("{}1{}", "[1].map(x, ".repeat(MAX_NESTING), ")".repeat(MAX_NESTING)),
            format!("{}1{}", "[".repeat(MAX_NESTING), "]".repeat(MAX_NESTING)),
            format!("{}1{}", "[1].exists(y, true ? ".repeat(8), " : x)".repeat(8)),
            format!("x{}", " ? x : x".repeat(60)),
            format!("x{}", " && x".repeat(100)),
        ];
        let work = move || {
            let inputs = serde_json::Map::from_iter([("x".to_owned(), 1.into())]);
            for source in sources {
                if let Ok(expression) = super::super::Expression::compile(&source, &["x"]) {
                    let call = Call { inputs: &inputs, config: &inputs };
                    drop(Logic::Condition(Arc::new(expression)).evaluate(&call));
                }
            }
        };
        let thread = std::thread::Builder::new().stack_size(1536 * 1024).spawn(work).unwrap();
        thread.join().unwrap();
    }
}
