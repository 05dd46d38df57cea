//! "Did you mean …?": hints for names that are nearly right.

/// Names listed in a hint at most.
const LISTED: usize = 12;

/// Candidates looked at for one mistake at most, so that many mistakes in a large workflow stay cheap.
const COMPARED: usize = 1_000;

/// The candidate that `wrong` was most likely meant to be.
#[must_use]
pub fn closest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > 256 {
        return None;
    }
    let lower = wrong.to_lowercase();
    let scored = candidates.into_iter().take(COMPARED).map(|name| {
        let score = strsim::normalized_damerau_levenshtein(&lower, &name.to_lowercase());
        (score, name)
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.5).then_some(best.1)
}

/// A hint for a wrong name: the closest right one, or all of them when they are few.
#[must_use]
pub fn did_you_mean<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(name) = closest(wrong, candidates.clone()) {
        return Some(format!("did you mean {name:?}?"));
    }
    one_of(candidates)
}

/// "one of: a, b, c", cut when there are many; none when there are none.
#[must_use]
pub fn one_of<'a>(candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut names = candidates.into_iter();
    let mut text = format!("one of: {}", names.next()?);
    for name in names.by_ref().take(LISTED - 1) {
        text.push_str(", ");
        text.push_str(name);
    }
    if names.next().is_some() {
        text.push_str(", …");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_named_and_a_far_one_lists_what_there_is() {
        let ports = ["detections", "count", "classes"];
        assert_eq!(did_you_mean("detection", ports).unwrap(), "did you mean \"detections\"?");
        assert_eq!(did_you_mean("xyz", ports).unwrap(), "one of: detections, count, classes");
        assert_eq!(did_you_mean("xyz", []), None);
    }
}
