//! What an expression refers to: variables that the node gives it, fields of `item` where they are known, functions that exist.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, SelectExpr};

use super::parse::fault_at;
use super::{ExpressionFault, Names};
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
    names: &Names<'_>,
) -> Result<BTreeSet<&'e str>, ExpressionFault> {
    let Names { variables, item } = *names;
    let mut walk = Walk {
        source,
        variables,
        item,
        bound: Vec::new(),
        used: BTreeSet::new(),
        odd: Vec::new(),
        tested: BTreeSet::new(),
    };
    walk.expr(&root.expr)?;
    // Who asks whether it is there knows that it may not be.
    match walk.odd.iter().find(|field| !walk.tested.contains(*field)) {
        Some(field) => Err(walk.no_field(field)),
        None => Ok(walk.used),
    }
}

struct Walk<'w, 'e> {
    source: &'w str,
    variables: &'w [&'w str],
    /// The fields of `item`, where they are known.
    item: Option<&'w [&'w str]>,
    /// Variables of the comprehensions around.
    bound: Vec<&'e str>,
    used: BTreeSet<&'e str>,
    /// Fields of `item` that there are not, and are read; `tested` are those that `has` is asked for.
    odd: Vec<&'e str>,
    tested: BTreeSet<&'e str>,
}

impl<'e> Walk<'_, 'e> {
    fn expr(&mut self, expr: &'e Expr) -> Result<(), ExpressionFault> {
        match expr {
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => {
                self.field(select);
                self.expr(&select.operand.expr)
            }
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

    /// Notes a field of `item` that there is not.
    fn field(&mut self, select: &'e SelectExpr) {
        let (Some(fields), Expr::Ident(name)) = (self.item, &select.operand.expr) else { return };
        let field = select.field.as_str();
        if name.trim_start_matches('.') != "item"
            || self.bound.contains(&name.as_str())
            || fields.contains(&field)
        {
            return;
        }
        if select.test {
            self.tested.insert(field);
        } else {
            self.odd.push(field);
        }
    }

    fn no_field(&self, field: &str) -> ExpressionFault {
        let is_field = |&(start, _): &(usize, &str)| {
            let after = self.source[start + field.len()..].chars().next();
            self.source[..start].trim_end().ends_with('.') && !after.is_some_and(is_part)
        };
        let start = self.source.match_indices(field).find(is_field).map_or(0, |(start, _)| start);
        let message = format!("a detection has no field `{field}`");
        let mut fault = fault_at(self.source, self.source[..start].chars().count(), &message);
        if let Some(way_out) = did_you_mean(field, self.item.into_iter().flatten().copied()) {
            fault.hint = format!("{}\n{way_out}", fault.hint);
        }
        fault
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

/// Whether a letter may stand in a name.
fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}
