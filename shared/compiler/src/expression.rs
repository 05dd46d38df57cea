//! Expressions: CEL, compiled with the workflow and evaluated under a budget.
//!
//! The rule: an expression costs what it says. Length, nesting and operators are bounded when it is compiled; when it
//! runs, everything that takes time or memory with the size of the data is charged to a [`Budget`] first, and a spent
//! budget ends the evaluation.

mod check;
mod deep;
mod evaluate;
mod meter;
mod parse;
mod value;

use std::collections::HashMap;
use std::sync::Arc;

use cel::IdedExpr;

pub(crate) use deep::on_deep_stack;
pub(crate) use evaluate::{Evaluation, Trouble};
pub(crate) use value::{Detail, into_cel};

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    source: String,
    /// Metered: every costly part asks the budget.
    root: IdedExpr,
    /// The variables it reads.
    variables: Vec<String>,
    /// How deep the evaluator recurses.
    depth: usize,
}

impl Expression {
    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The variables it reads.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Whether evaluating it takes more stack than any thread may be trusted to have.
    pub(crate) fn is_deep(&self) -> bool {
        self.depth > 12
    }

    /// Compiles `source` over these variables.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn compile(source: &str, variables: &[&str]) -> Result<Self, ExpressionFault> {
        Self::compile_over(source, &Names { variables, item: None })
    }

    /// Compiles `source` over these names.
    fn compile_over(source: &str, names: &Names<'_>) -> Result<Self, ExpressionFault> {
        let root = parse::parse(source)?;
        let used = check::check(source, &root, names)?;
        let variables = used.into_iter().map(str::to_owned).collect();
        let root = meter::metered(root.expr);
        let depth = meter::depth(&root.expr);
        Ok(Self { source: source.to_owned(), root, variables, depth })
    }
}

/// What an expression may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'n> {
    /// The variables that the node gives it.
    pub(crate) variables: &'n [&'n str],
    /// All fields that `item` may have, where that is known.
    pub(crate) item: Option<&'n [&'n str]>,
}

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// Whether it is about a name that the node does not give it.
    pub unknown_variable: bool,
    /// What is wrong.
    pub message: String,
    /// The line of the expression with a caret under the place, and what to do.
    pub hint: String,
}

/// Compiles each text once: large workflows repeat their expressions, and parsing is what costs.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    compiled: HashMap<(String, String, bool), Result<Arc<Expression>, ExpressionFault>>,
}

impl Cache {
    /// The expression, compiled now or before.
    pub(crate) fn compile(
        &mut self,
        source: &str,
        names: &Names<'_>,
    ) -> Result<Arc<Expression>, ExpressionFault> {
        // Where the fields of `item` are known, they are the same ones.
        let key = (source.to_owned(), names.variables.join(" "), names.item.is_some());
        let compile = || Expression::compile_over(source, names).map(Arc::new);
        self.compiled.entry(key).or_insert_with(compile).clone()
    }
}
