//! What an expression refers to: variables that the node gives it, functions that exist.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

use super::ExpressionFault;
use super::parse::fault_at;
use crate::suggest::did_you_mean;

/// The functions of the standard library that this build has, beside operators and macros.
const FUNCTIONS: [&str; 12] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "bytes",
    "type",
    "dyn",
];

/// Macros, for hints: they are gone from the tree by now.
const MACROS: [&str; 7] = ["has", "all", "exists", "exists_one", "map", "filter", "existsOne"];

/// Names of types, which `type(x) == int` compares with.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "uint"];

/// Checks every name; returns the variables used.
pub(super) fn check<'e>(
    source: &str,
    root: &'e IdedExpr,
    variables: &[&str],
) -> Result<BTreeSet<&'e str>, ExpressionFault> {
    let mut walk = Walk { source, variables, bound: Vec::new(), used: BTreeSet::new() };
    walk.expr(&root.expr)?;
    Ok(walk.used)
}

struct Walk<'w, 'e> {
    source: &'w str,
    variables: &'w [&'w str],
    /// Variables of the comprehensions around.
    bound: Vec<&'e str>,
    used: BTreeSet<&'e str>,
}

impl<'e> Walk<'_, 'e> {
    fn expr(&mut self, expr: &'e Expr) -> Result<(), ExpressionFault> {
        match expr {
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => self.expr(&select.operand.expr),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.expr(&element.expr)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.expr(&entry.key.expr)?;
                    self.expr(&entry.value.expr)
                }
                EntryExpr::StructField(field) => self.expr(&field.value.expr),
            }),
            Expr::Call(call) => {
                self.function(&call.func_name)?;
                if let Some(target) = &call.target {
                    self.expr(&target.expr)?;
                }
                call.args.iter().try_for_each(|arg| self.expr(&arg.expr))
            }
            Expr::Comprehension(fold) => {
                self.expr(&fold.iter_range.expr)?;
                self.expr(&fold.accu_init.expr)?;
                let outside = self.bound.len();
                self.bound.extend([fold.iter_var.as_str(), fold.accu_var.as_str()]);
                self.bound.extend(fold.iter_var2.as_deref());
                self.expr(&fold.loop_cond.expr)?;
                self.expr(&fold.loop_step.expr)?;
                self.expr(&fold.result.expr)?;
                self.bound.truncate(outside);
                Ok(())
            }
            Expr::Struct(value) => Err(self.at(&value.type_name, "there are no struct types here")),
            Expr::Unspecified => Err(fault_at(self.source, 0, "the expression is empty")),
        }
    }

    fn name(&mut self, name: &'e str) -> Result<(), ExpressionFault> {
        let plain = name.trim_start_matches('.');
        // With a dot in front it is none of these: the evaluation looks past them.
        if self.bound.contains(&name) {
            return Ok(());
        }
        if self.variables.contains(&plain) {
            self.used.insert(plain);
            return Ok(());
        }
        // Only where it is no variable, as in the evaluation: what is wired as `list` is meant by `list`.
        if TYPES.contains(&plain) {
            return Ok(());
        }
        let mut fault = self.at(plain, &format!("there is no variable `{plain}` here"));
        fault.unknown_variable = true;
        let known = did_you_mean(plain, self.variables.iter().copied());
        let way_out = known.unwrap_or_else(|| "wire an input of this name to the node".to_owned());
        fault.hint = format!("{}\n{way_out}", fault.hint);
        Err(fault)
    }

    fn function(&self, name: &str) -> Result<(), ExpressionFault> {
        // Operators are calls of names that no identifier has: `_+_`, `!_`, `@not_strictly_false`.
        let operator = !name.starts_with(|first: char| first.is_ascii_alphabetic());
        if operator || FUNCTIONS.contains(&name) {
            return Ok(());
        }
        let message = if MACROS.contains(&name) {
            format!("`{name}` is used with the wrong number of arguments")
        } else {
            format!("there is no function `{name}`")
        };
        let mut fault = self.at(name, &message);
        if let Some(way_out) = did_you_mean(name, FUNCTIONS.into_iter().chain(MACROS)) {
            fault.hint = format!("{}\n{way_out}", fault.hint);
        }
        Err(fault)
    }

    /// A fault at the first place where `name` stands as a word of its own.
    fn at(&self, name: &str, message: &str) -> ExpressionFault {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let whole = |&(start, _): &(usize, &str)| {
            let before = self.source[..start].chars().next_back();
            let after = self.source[start + name.len()..].chars().next();
            !before.is_some_and(|letter| is_part(letter) || letter == '.') && !after.is_some_and(is_part)
        };
        let found =
            self.source.match_indices(name).find(whole).or_else(|| self.source.match_indices(name).next());
        let byte = found.map_or(0, |(start, _)| start);
        fault_at(self.source, self.source[..byte].chars().count(), message)
    }
}
