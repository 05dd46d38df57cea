//! The meter: a rewrite of the tree that charges for work before it is done.
//!
//! `@meter(@budget, value, cost)` charges `cost` for each element of `value` (1 for scalars) plus the size of `value`,
//! and gives `value` back. It wraps the range of every comprehension (cost: the size of its body), everything put into
//! a list or map, every sum, what functions are given, and what is compared with something that is not a literal.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, operators};
use cel::common::types::{CelInt, DYN_TYPE, Type};
use cel::common::value::{BuiltinRef, CowVal, StaticVal, Val};
use cel::{ExecutionError, IdedExpr};

/// The name of the function, which no expression can write.
pub(super) const FUNCTION: &str = "@meter";

/// The variable the budget is bound to.
pub(super) const VARIABLE: &str = "@budget";

/// Bytes of text that cost as much as one value.
const BYTES_PER_UNIT: u64 = 32;

/// Work that is left. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<AtomicU64>);

impl Budget {
    /// A budget of so many units; a unit is about the cost of one small value or operation.
    pub(crate) fn new(units: u64) -> Self {
        Self(Arc::new(AtomicU64::new(units)))
    }

    /// Takes units; false when there are not enough left, and then none ever again.
    pub(crate) fn spend(&self, units: u64) -> bool {
        let spend = |left: u64| Some(left.saturating_sub(units));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        before.is_ok_and(|before| before > units)
    }

    /// Whether nothing is left.
    pub(crate) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl Val for Budget {
    fn get_type(&self) -> &Type {
        &DYN_TYPE
    }

    fn cel_type() -> &'static Type {
        &DYN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Budget {}

/// The function itself.
pub(super) fn charge<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let mut args = args.into_iter();
    let (Some(budget), Some(value), Some(cost)) = (args.next(), args.next(), args.next()) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let budget = budget.downcast_ref::<Budget>().ok_or_else(ExecutionError::missing_argument_or_target)?;
    let cost = cost.downcast_ref::<CelInt>().and_then(|cost| u64::try_from(*cost.inner()).ok()).unwrap_or(1);
    let elements = match value.as_builtin() {
        BuiltinRef::List(list) => list.inner().len() as u64,
        BuiltinRef::Map(map) => map.inner().len() as u64,
        _ => 1,
    };
    if budget.spend(elements.saturating_mul(cost).saturating_add(weight(&*value))) {
        return Ok(value);
    }
    Err(ExecutionError::function_error("evaluation", "the expression does too much work"))
}

/// The size of a value, in units.
fn weight(value: &dyn Val) -> u64 {
    match value.as_builtin() {
        BuiltinRef::String(text) => 1 + text.inner().len() as u64 / BYTES_PER_UNIT,
        BuiltinRef::Bytes(bytes) => 1 + bytes.inner().len() as u64 / BYTES_PER_UNIT,
        BuiltinRef::List(list) => 1 + list.inner().iter().map(|item| weight(item.as_ref())).sum::<u64>(),
        BuiltinRef::Map(map) => 1 + map.inner().values().map(|item| 1 + weight(item.as_ref())).sum::<u64>(),
        _ => 1,
    }
}

/// The expression with its meters in place. The parser's bounds keep this recursion shallow.
pub(super) fn metered(expr: Expr) -> IdedExpr {
    let expr = match expr {
        Expr::Call(call) => call_metered(call),
        Expr::Comprehension(mut fold) => {
            let body = size(&fold.loop_step.expr) + size(&fold.loop_cond.expr);
            let range = metered(std::mem::take(&mut fold.iter_range.expr));
            fold.iter_range = wrapped(range, body);
            for part in [&mut fold.accu_init, &mut fold.loop_cond, &mut fold.loop_step, &mut fold.result] {
                *part = metered(std::mem::take(&mut part.expr));
            }
            Expr::Comprehension(fold)
        }
        Expr::List(mut list) => {
            list.elements = list.elements.into_iter().map(|item| copied(metered(item.expr))).collect();
            Expr::List(list)
        }
        Expr::Map(mut map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    entry.key = copied(metered(std::mem::take(&mut entry.key.expr)));
                    entry.value = copied(metered(std::mem::take(&mut entry.value.expr)));
                }
            }
            Expr::Map(map)
        }
        Expr::Select(mut select) => {
            // A name such as `a.b.c` is looked up whole and cheap.
            *select.operand = metered(std::mem::take(&mut select.operand.expr));
            Expr::Select(select)
        }
        other => other,
    };
    IdedExpr { id: 0, expr }
}

fn call_metered(mut call: CallExpr) -> Expr {
    // Macros fold with `@result + […]`, `@result || …`: the first operand is theirs, and must stay as it is.
    let folds =
        matches!(call.args.first().map(|arg| &arg.expr), Some(Expr::Ident(name)) if name.starts_with('@'));
    let literal = call.args.iter().any(|arg| matches!(arg.expr, Expr::Literal(_)));
    let is_function = call.func_name.starts_with(|first: char| first.is_ascii_alphabetic());
    let charged = match call.func_name.as_str() {
        operators::IN => true,
        operators::EQUALS
        | operators::NOT_EQUALS
        | operators::LESS
        | operators::LESS_EQUALS
        | operators::GREATER
        | operators::GREATER_EQUALS => !literal,
        _ => is_function,
    };
    let part = |part: IdedExpr| {
        let part = metered(part.expr);
        if charged { copied(part) } else { part }
    };
    call.args = call.args.into_iter().map(part).collect();
    call.target = call.target.map(|target| Box::new(part(*target)));
    let sum = call.func_name == operators::ADD && !folds;
    let call = IdedExpr { id: 0, expr: Expr::Call(call) };
    if sum { wrapped(call, 1).expr } else { call.expr }
}

/// Wrapped, unless it is a literal, whose size the text bounds already.
fn copied(part: IdedExpr) -> IdedExpr {
    match part.expr {
        Expr::Literal(_) => part,
        _ => wrapped(part, 1),
    }
}

fn wrapped(value: IdedExpr, cost: u64) -> IdedExpr {
    let ided = |expr| IdedExpr { id: 0, expr };
    let cost = CelInt::from(i64::try_from(cost).unwrap_or(i64::MAX));
    let call = CallExpr {
        func_name: FUNCTION.to_owned(),
        target: None,
        args: vec![
            ided(Expr::Ident(VARIABLE.to_owned())),
            value,
            ided(Expr::Literal(LiteralValue::Int(cost))),
        ],
    };
    ided(Expr::Call(call))
}

/// Nodes of a tree: what one evaluation of it costs, apart from data.
pub(super) fn size(expr: &Expr) -> u64 {
    1 + parts(expr).into_iter().map(size).sum::<u64>()
}

/// How many nodes of a tree are inside each other.
pub(super) fn depth(expr: &Expr) -> usize {
    1 + parts(expr).into_iter().map(depth).max().unwrap_or(0)
}

/// The expressions directly inside an expression.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Call(call) => call
            .target
            .iter()
            .map(|target| &target.expr)
            .chain(call.args.iter().map(|arg| &arg.expr))
            .collect(),
        Expr::Comprehension(fold) => {
            let parts = [&fold.iter_range, &fold.accu_init, &fold.loop_cond, &fold.loop_step, &fold.result];
            parts.into_iter().map(|part| &part.expr).collect()
        }
        Expr::List(list) => list.elements.iter().map(|item| &item.expr).collect(),
        Expr::Map(map) => {
            let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => Some([&entry.key.expr, &entry.value.expr]),
                EntryExpr::StructField(_) => None,
            });
            entries.flatten().collect()
        }
        Expr::Select(select) => vec![&select.operand.expr],
        _ => Vec::new(),
    }
}
