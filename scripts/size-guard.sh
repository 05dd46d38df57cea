#!/usr/bin/env bash
# The tail guard: no hand-written file over 600 lines, none over 400 without being named here with a reason, and a
# median under 150. Code of others (third_party/) and of generators (*.gen.ts) is left as it is. (Functions: clippy's too_many_lines, 80.)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

hard=600 soft=400 median_cap=150
sizes="$(git ls-files --cached --others --exclude-standard -- '*.rs' '*.ts' '*.tsx' '*.js' '*.mjs' '*.css' '*.sql' '*.lua' '*.sh' ':!third_party' ':!*.gen.ts' |
    while read -r file; do [ -f "$file" ] && printf '%s %s\n' "$(wc -l <"$file")" "$file"; done | sort -n)"
[ -n "$sizes" ] || fail "no source files found"
awk -v soft="$soft" -v hard="$hard" '$1 > soft && $1 <= hard { printf "note: %s has %d lines (soft cap %d)\n", $2, $1, soft }' <<<"$sizes"
over="$(awk -v hard="$hard" '$1 > hard { printf "  %s: %d lines\n", $2, $1 }' <<<"$sizes")"
[ -z "$over" ] || fail "over the hard cap of $hard lines:
$over
  Split them: one verb, one file."
count="$(wc -l <<<"$sizes")"
median="$(awk -v at="$(((count + 1) / 2))" 'NR == at { print $1 }' <<<"$sizes")"
[ "$median" -lt "$median_cap" ] || fail "the median file has $median lines, over $median_cap"
say "size guard: $count files, median $median lines, largest $(tail -n 1 <<<"$sizes")"
