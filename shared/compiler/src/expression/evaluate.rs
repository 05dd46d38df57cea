//! Evaluation of one expression over one node's inputs, once or once per item, under one budget.

use std::sync::Arc;

use cel::common::types::{CelBool, CelInt};
use cel::common::value::Val;
use cel::{Context, ExecutionError};
use millrace_contracts::ErrorKind;
use serde_json::{Map, Value};

use super::Expression;
use super::meter::{self, Budget};
use super::parse::environment;
use super::value::{Detail, into_cel, into_json};

/// Units of work one node run may spend on its expression: some tens of milliseconds.
const BUDGET: u64 = 2_000_000;

/// Why an evaluation gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Whether the configuration is at fault, or what it was given.
    pub(crate) kind: ErrorKind,
    /// What went wrong.
    pub(crate) message: String,
}

impl Trouble {
    fn input(message: String) -> Self {
        Self { kind: ErrorKind::InvalidInput, message }
    }
}

/// An expression with a node's inputs bound.
pub(crate) struct Evaluation<'e, 'v> {
    expression: &'e Expression,
    context: Context<'v, 'v>,
    budget: Budget,
    /// What one evaluation costs apart from data.
    base: u64,
}

impl<'e, 'v> Evaluation<'e, 'v> {
    /// Binds the inputs that the expression reads; those that are absent are null.
    pub(crate) fn new(expression: &'e Expression, inputs: &'v Map<String, Value>) -> Self {
        let budget = Budget::new(BUDGET);
        let mut context = Context::with_env(Arc::clone(environment()));
        context.add_variable_as_val(meter::VARIABLE, Box::new(budget.clone()));
        for name in &expression.variables {
            let value = inputs.get(name).unwrap_or(&Value::Null);
            context.add_variable_as_val(name.as_str(), into_cel(value, Detail::AsWritten));
        }
        let base = meter::size(&expression.root.expr);
        Self { expression, context, budget, base }
    }

    /// The value over the inputs alone.
    pub(crate) fn truth(&self) -> Result<bool, Trouble> {
        self.resolve(&self.context, as_bool)
    }

    /// The truth for one item of a list.
    pub(crate) fn truth_of(&self, item: Box<dyn Val + 'v>, index: usize) -> Result<bool, Trouble> {
        self.with_item(item, index, as_bool)
    }

    /// The value for one item of a list, as JSON.
    pub(crate) fn value_of(&self, item: Box<dyn Val + 'v>, index: usize) -> Result<Value, Trouble> {
        self.with_item(item, index, |value| into_json(value).map_err(Trouble::input))
    }

    fn with_item<T>(
        &self,
        item: Box<dyn Val + 'v>,
        index: usize,
        read: impl FnOnce(&dyn Val) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut context = self.context.new_inner_scope();
        context.add_variable_as_val("item", item);
        context
            .add_variable_as_val("index", Box::new(CelInt::from(i64::try_from(index).unwrap_or(i64::MAX))));
        self.resolve(&context, read)
    }

    fn resolve<T>(
        &self,
        context: &Context<'_, 'v>,
        read: impl FnOnce(&dyn Val) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        if !self.budget.spend(self.base) {
            return Err(spent());
        }
        let result = cel::Value::resolve_val(&self.expression.root, context);
        // `… || true` hides an error of the meter, but not that the budget is gone.
        if self.budget.is_spent() {
            return Err(spent());
        }
        match result {
            Ok(value) => read(&*value),
            Err(error) => Err(Trouble::input(explain(&error))),
        }
    }
}

fn as_bool(value: &dyn Val) -> Result<bool, Trouble> {
    let flag = value.downcast_ref::<CelBool>().map(|flag| *flag.inner());
    flag.ok_or_else(|| Trouble {
        kind: ErrorKind::InvalidConfig,
        message: format!("it gives a {}, and must give true or false", value.get_type().name()),
    })
}

fn spent() -> Trouble {
    Trouble::input(
        "it does too much work for one node: filter the data first, or split the expression".to_owned(),
    )
}

/// The evaluator's message, cut, with what to do about the usual surprises.
fn explain(error: &ExecutionError) -> String {
    let text = error.to_string().chars().take(300).collect::<String>();
    match error {
        ExecutionError::UnsupportedBinaryOperator(_, cel::Value::Int(_), cel::Value::Float(_))
        | ExecutionError::UnsupportedBinaryOperator(_, cel::Value::Float(_), cel::Value::Int(_)) => {
            format!("{text}; whole numbers and others do not mix: write 2.0 for 2, or convert with double(x)")
        }
        ExecutionError::NoSuchOverload(_) if text.contains("null") => {
            format!("{text}; test for null first: x != null && …")
        }
        ExecutionError::NoSuchKey(_) => format!("{text}; test for it first: has(x.field)"),
        _ => text,
    }
}
