//! From samples to numbers. Percentiles lie between the two nearest values where they fall there, as NumPy's do by default.

use std::collections::HashMap;

use millrace_blocks::outputs::aggregation::{Config, Function};
use millrace_contracts::{ErrorKind, JobError};
use serde_json::{Map, Number, Value};

use super::samples::{Sample, text_of};

/// The result: a field for each function, or such an object for each group in the order of their first items.
pub(super) fn of(samples: &[Sample], config: &Config) -> Result<Map<String, Value>, JobError> {
    if config.group_by.is_none() {
        return summary(samples.iter().map(|sample| &sample.value).collect(), config);
    }
    let mut groups: Map<String, Value> = Map::new();
    let mut members: HashMap<&str, Vec<&Value>> = HashMap::new();
    for sample in samples {
        let name = sample.group.as_deref().unwrap_or("null");
        if !members.contains_key(name) {
            groups.insert(name.to_owned(), Value::Null);
        }
        members.entry(name).or_default().push(&sample.value);
    }
    for (name, slot) in &mut groups {
        let values = members.remove(name.as_str()).unwrap_or_default();
        *slot = summary(values, config)?.into();
    }
    Ok(groups)
}

fn summary(values: Vec<&Value>, config: &Config) -> Result<Map<String, Value>, JobError> {
    let count = values.len();
    let there: Vec<&Value> = values.into_iter().filter(|value| !value.is_null()).collect();
    let wants_numbers = config.functions.iter().any(|function| is_numeric(*function));
    let numbers = if wants_numbers { Numbers::of(&there, config)? } else { Numbers::default() };
    let distinct = Distinct::of(&there);
    let field = |function: &Function| {
        let value = match function {
            Function::Count => count.into(),
            Function::Sum => numbers.sum(),
            Function::Mean => numbers.mean(),
            Function::Min => numbers.least(),
            Function::Max => numbers.greatest(),
            Function::P50 => numbers.percentile(0.50),
            Function::P95 => numbers.percentile(0.95),
            Function::Distinct => distinct.values.iter().map(|(value, _)| (*value).clone()).collect(),
            Function::CountDistinct => distinct.values.len().into(),
            Function::ValuesCounts => distinct.counts(),
        };
        (function.as_str().to_owned(), value)
    };
    Ok(config.functions.iter().map(field).collect())
}

fn is_numeric(function: Function) -> bool {
    use Function::{Max, Mean, Min, P50, P95, Sum};
    matches!(function, Sum | Mean | Min | Max | P50 | P95)
}

/// Values as numbers.
#[derive(Debug, Default)]
struct Numbers {
    sorted: Vec<f64>,
    /// Where all were written as whole numbers, so are their sum and their extremes, to the last digit.
    whole: Option<Whole>,
}

/// What is told of whole numbers. The sum of as many as there may be has room here.
#[derive(Debug, Default)]
struct Whole {
    sum: i128,
    least: Option<i128>,
    greatest: Option<i128>,
}

impl Numbers {
    fn of(values: &[&Value], config: &Config) -> Result<Self, JobError> {
        let number = |value: &&Value| {
            value.as_f64().ok_or_else(|| {
                let shown: String = value.to_string().chars().take(60).collect();
                let what = config.field.as_deref().map_or_else(String::new, |field| format!(" in `{field}`"));
                let message = format!("numbers are wanted{what}, and {shown} is none");
                JobError::new(ErrorKind::InvalidInput, message).at("/inputs")
            })
        };
        let mut sorted = values.iter().map(number).collect::<Result<Vec<_>, _>>()?;
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(Self { sorted, whole: Whole::of(values) })
    }

    fn sum(&self) -> Value {
        self.whole
            .as_ref()
            .and_then(|whole| integer(whole.sum))
            .unwrap_or_else(|| float(Some(self.sorted.iter().sum())))
    }

    fn least(&self) -> Value {
        let whole = self.whole.as_ref().and_then(|whole| integer(whole.least?));
        whole.unwrap_or_else(|| float(self.sorted.first().copied()))
    }

    fn greatest(&self) -> Value {
        let whole = self.whole.as_ref().and_then(|whole| integer(whole.greatest?));
        whole.unwrap_or_else(|| float(self.sorted.last().copied()))
    }

    fn mean(&self) -> Value {
        let mean = self.sorted.iter().sum::<f64>() / self.sorted.len() as f64;
        float((!self.sorted.is_empty()).then_some(mean))
    }

    fn percentile(&self, share: f64) -> Value {
        let Some(last) = self.sorted.len().checked_sub(1) else { return Value::Null };
        let place = share * last as f64;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        let between = self.sorted[low] + (self.sorted[high] - self.sorted[low]) * place.fract();
        float(Some(between))
    }
}

impl Whole {
    /// None where one is no whole number.
    fn of(values: &[&Value]) -> Option<Self> {
        let whole =
            |value: &&Value| value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
        let mut all = Self::default();
        for value in values {
            let value = whole(value)?;
            all.sum += value;
            all.least = Some(all.least.map_or(value, |least| least.min(value)));
            all.greatest = Some(all.greatest.map_or(value, |greatest| greatest.max(value)));
        }
        Some(all)
    }
}

/// A whole number as JSON has it; none where it is too large.
fn integer(number: i128) -> Option<Value> {
    i64::try_from(number).map(Value::from).or_else(|_| u64::try_from(number).map(Value::from)).ok()
}

/// A finite number; null for none.
fn float(number: Option<f64>) -> Value {
    number.and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

/// The values there are, in the order of their first, each with how often it is there.
struct Distinct<'v> {
    values: Vec<(&'v Value, u64)>,
}

impl<'v> Distinct<'v> {
    fn of(values: &[&'v Value]) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut found: Vec<(&'v Value, u64)> = Vec::new();
        for value in values {
            let place = *places.entry(value.to_string()).or_insert_with(|| {
                found.push((value, 0));
                found.len() - 1
            });
            found[place].1 += 1;
        }
        Self { values: found }
    }

    /// How often each is there, by its name: what has one name, such as 1 and "1", counts together.
    fn counts(&self) -> Value {
        let mut counts: Map<String, Value> = Map::new();
        for (value, count) in &self.values {
            let slot = counts.entry(text_of(value)).or_insert_with(|| 0.into());
            *slot = (slot.as_u64().unwrap_or(0) + count).into();
        }
        counts.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result(values: &Value, config: Value) -> Value {
        let config: Config = serde_json::from_value(config).unwrap();
        let inputs = Map::from_iter([("items".to_owned(), values.clone())]);
        let samples = super::super::samples::of(&inputs, &config).unwrap();
        let texts: Vec<_> = samples.iter().map(Sample::to_text).collect();
        let again: Vec<_> = texts.iter().filter_map(|text| Sample::from_text(text)).collect();
        assert_eq!(samples, again, "a sample survives its window");
        of(&samples, &config).map_or_else(|error| json!(error.message), Value::Object)
    }

    const ALL: [&str; 7] = ["count", "sum", "mean", "min", "max", "p50", "p95"];

    #[test]
    fn numbers_are_as_numpy_has_them() {
        // numpy.percentile([3, 1, 4, 1, 5, 9, 2, 6], [50, 95]) = 3.5, 7.95
        let some = result(&json!([3, 1, 4, 1, 5, 9, 2, 6]), json!({"functions": ALL}));
        let p95 = some["p95"].as_f64().unwrap();
        assert!((p95 - 7.95).abs() < 1e-12, "{some}");
        assert_eq!(some["sum"].to_string(), "31");
        assert_eq!((&some["mean"], &some["p50"], &some["max"]), (&json!(3.875), &json!(3.5), &json!(9)));
        let one = result(&json!([0.5, null]), json!({"functions": ALL}));
        assert_eq!(
            one,
            json!({"count": 1, "sum": 0.5, "mean": 0.5, "min": 0.5, "max": 0.5, "p50": 0.5, "p95": 0.5})
        );
        let none = result(&json!([]), json!({"functions": ALL}));
        assert_eq!(
            none,
            json!({"count": 0, "sum": 0, "mean": null, "min": null, "max": null, "p50": null, "p95": null})
        );
        assert_eq!(result(&json!([null, null]), json!({"functions": ALL})), none, "all items failed");
        let fields = json!({"functions": ["count", "mean"], "field": "x"});
        let missing = result(&json!([{"x": 1}, {"x": null}, {}, null]), fields);
        assert_eq!(missing, json!({"count": 3, "mean": 1.0}), "an item without a value is there");
        assert!(
            result(&json!([1, "two"]), json!({"functions": ["sum"]}))
                .as_str()
                .unwrap()
                .contains("\"two\" is none")
        );
    }

    #[test]
    fn values_are_told_apart_and_counted() {
        let functions = json!({"functions": ["distinct", "count_distinct", "values_counts"]});
        let words = result(&json!(["b", "a", "b", 1, null]), functions);
        assert_eq!(
            words,
            json!({"distinct": ["b", "a", 1], "count_distinct": 3, "values_counts": {"b": 2, "a": 1, "1": 1}})
        );
    }

    #[test]
    fn what_has_one_name_counts_together() {
        let alike = result(
            &json!([1, 1, 1, "1", true, "true", "true"]),
            json!({"functions": ["count", "values_counts"]}),
        );
        assert_eq!(alike, json!({"count": 7, "values_counts": {"1": 4, "true": 3}}));
    }

    #[test]
    fn whole_numbers_are_told_to_the_last_digit() {
        let large =
            result(&json!([9_007_199_254_740_993_i64, 1]), json!({"functions": ["max", "min", "sum"]}));
        assert_eq!(large.to_string(), r#"{"max":9007199254740993,"min":1,"sum":9007199254740994}"#);
        let largest = result(&json!([u64::MAX, -1]), json!({"functions": ["max", "sum"]}));
        assert_eq!(largest.to_string(), r#"{"max":18446744073709551615,"sum":18446744073709551614}"#);
        let beyond = result(&json!([u64::MAX, u64::MAX]), json!({"functions": ["sum"]}));
        assert_eq!(beyond, json!({"sum": 2.0 * u64::MAX as f64}));
    }

    #[test]
    fn detections_are_grouped_by_a_field() {
        let set = |items: Value| json!({"image_id": null, "width": 8, "height": 8, "items": items});
        let one = |class: &str, confidence: f64| json!({"class_name": class, "confidence": confidence, "bbox": [0, 1, 2, 3]});
        let config = json!({"functions": ["count", "max"], "field": "confidence", "group_by": "class_name"});
        let sets = json!([
            set(json!([one("star", 0.5), one("disc", 0.25)])),
            set(json!([])),
            set(json!([one("star", 0.75)]))
        ]);
        let found = result(&sets, config.clone());
        assert_eq!(found, json!({"star": {"count": 2, "max": 0.75}, "disc": {"count": 1, "max": 0.25}}));
        let with_failed = json!([null, sets[0], null, sets[1], sets[2]]);
        assert_eq!(result(&with_failed, config.clone()), found, "a picture that failed found nothing");
        assert_eq!(result(&json!([null, null]), config.clone()), json!({}), "nor do all of them");
        assert_eq!(
            result(&json!([null]), json!({"functions": ["count", "distinct"]})),
            json!({"count": 0, "distinct": []})
        );
        assert_eq!(result(&sets[1], config), json!({}), "none are no groups");
        let corner = result(&sets[0], json!({"functions": ["sum"], "field": "bbox.2"}));
        assert_eq!(corner, json!({"sum": 4}));
    }
}
