//! Waits: loops that wait for themselves. A `collect` gives its list when every item of its loop is done, so nothing inside
//! that loop may wait for it, by whatever way. Each loop stands here as one thing beside the nodes around it: what its members
//! wait for, it waits for, and what it waits for behind its own `collect` never comes.

use millrace_contracts::Fault;

use crate::codes;
use crate::draft::{Draft, DraftNode, Position};
use crate::passes::scopes::DraftScope;
use crate::plan::ScopeIndex;

/// Reports every selector inside a loop that leads, from behind one of the loop's collects, back into it. Scopes must be without
/// fault: where items of two loops mix, nothing is known of what waits for what.
pub(crate) fn run(draft: &mut Draft<'_>, scopes: &[DraftScope]) {
    if !draft.nodes.iter().any(|node| node.is("collect")) {
        return;
    }
    let waits = Waits::of(draft, scopes);
    let circles = circles(&waits.upstream);
    let mut faults = Vec::new();
    for entry in &waits.entries {
        if circles[entry.source] == circles[entry.loop_thing] {
            faults.push(waits.fault(draft, entry, &circles));
        }
    }
    draft.faults.0.extend(faults);
}

/// A node of the graph: a workflow's node, by its position, or a loop, by its scope, behind all nodes.
type Thing = usize;

/// A member of a loop reads what is outside of it.
struct Entry {
    reader: Position,
    source: Thing,
    loop_thing: Thing,
}

struct Waits<'s> {
    scopes: &'s [DraftScope],
    nodes: usize,
    /// What each waits for.
    upstream: Vec<Vec<Thing>>,
    entries: Vec<Entry>,
}

impl<'s> Waits<'s> {
    fn of(draft: &Draft<'_>, scopes: &'s [DraftScope]) -> Self {
        let nodes = draft.nodes.len();
        let upstream = vec![Vec::new(); nodes + scopes.len()];
        let mut waits = Self { scopes, nodes, upstream, entries: Vec::new() };
        for &reader in &draft.order {
            let node = &draft.nodes[reader];
            let mut sources = draft.upstream(node);
            sources.sort_unstable();
            sources.dedup();
            for source in sources {
                waits.add(draft, reader, source);
            }
            if let Some(closed) = node.inner.filter(|&inner| node.is("collect") && inner != node.scope) {
                waits.upstream[reader].push(nodes + closed.0 as usize);
            }
        }
        waits
    }

    /// Notes that `reader` waits for `source`, between the two things beside each other that they are or stand in.
    fn add(&mut self, draft: &Draft<'_>, reader: Position, source: Position) {
        let (mut inner, mut outer) = (draft.nodes[reader].scope, draft.nodes[source].scope);
        let (mut waiting, mut awaited) = (reader, source);
        while inner != outer {
            if self.depth(inner) >= self.depth(outer) {
                (waiting, inner) = self.around(inner);
            } else {
                (awaited, outer) = self.around(outer);
            }
        }
        self.upstream[waiting].push(awaited);
        // That a loop waits for its opener is no way back into it.
        let is_opener = waiting >= self.nodes && self.scopes[waiting - self.nodes].opener == Some(awaited);
        if waiting != reader && !is_opener {
            self.entries.push(Entry { reader, source: awaited, loop_thing: waiting });
        }
    }

    fn depth(&self, scope: ScopeIndex) -> usize {
        self.scopes[scope.0 as usize].depth
    }

    /// The loop that `scope` is, and the scope that it stands in.
    fn around(&self, scope: ScopeIndex) -> (Thing, ScopeIndex) {
        let parent =
            self.scopes[scope.0 as usize].parent.expect("two scopes meet in the root, if not before");
        (self.nodes + scope.0 as usize, parent)
    }

    fn fault(&self, draft: &Draft<'_>, entry: &Entry, circles: &[usize]) -> Fault {
        let reader = &draft.nodes[entry.reader];
        let scope = &self.scopes[entry.loop_thing - self.nodes];
        let opener = scope.opener.map(|opener| &draft.nodes[opener]);
        let collect = self.collect_of(draft, entry, circles).map_or("its collect", |node| node.name);
        let opener = opener.map_or("", |node| node.name);
        let message = format!(
            "`{}` is inside the loop of `{opener}` and waits for `{collect}`, which waits for every item of that loop",
            reader.name
        );
        let references = reader.references();
        let read = references.iter().find(|reference| {
            let source = reader.node_of(&reference.target);
            source.is_some_and(|source| self.stands_in(draft, source, entry.source))
        });
        let pointer = read.map_or(String::new(), |reference| reference.pointer.clone());
        let hint = format!(
            "put a second for_each over the same list behind `{collect}`, and read `{collect}` in that one"
        );
        reader.fault(codes::LOOP_WAITS_FOR_ITSELF, &pointer, message).hint(hint)
    }

    /// A collect of the entry's loop that leads back into it.
    fn collect_of<'d, 'a>(
        &self,
        draft: &'d Draft<'a>,
        entry: &Entry,
        circles: &[usize],
    ) -> Option<&'d DraftNode<'a>> {
        let closed = ScopeIndex((entry.loop_thing - self.nodes) as u32);
        draft.nodes.iter().find(|node| {
            node.is("collect")
                && node.inner == Some(closed)
                && circles[node.position] == circles[entry.loop_thing]
        })
    }

    /// Whether `node` is `thing`, or inside the loop that it is.
    fn stands_in(&self, draft: &Draft<'_>, node: Position, thing: Thing) -> bool {
        let mut scope = Some(draft.nodes[node].scope);
        while let Some(current) = scope {
            if thing == self.nodes + current.0 as usize {
                return true;
            }
            scope = self.scopes[current.0 as usize].parent;
        }
        node == thing
    }
}

/// For each thing the circle that it is in; things are in the same one when each waits for the other. By two walks, the second
/// against the direction of the first and in the order in which that ended; neither recurses.
fn circles(upstream: &[Vec<Thing>]) -> Vec<usize> {
    let mut downstream = vec![Vec::new(); upstream.len()];
    for (thing, sources) in upstream.iter().enumerate() {
        sources.iter().for_each(|&source| downstream[source].push(thing));
    }
    let mut ended = Vec::with_capacity(upstream.len());
    let mut seen = vec![false; upstream.len()];
    for start in 0..upstream.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((thing, next)) = path.last_mut() {
            let Some(&source) = upstream[*thing].get(*next) else {
                ended.push(*thing);
                path.pop();
                continue;
            };
            *next += 1;
            if !std::mem::replace(&mut seen[source], true) {
                path.push((source, 0));
            }
        }
    }
    let mut circles = vec![usize::MAX; upstream.len()];
    for (circle, &start) in ended.iter().rev().enumerate() {
        let mut waiting = vec![start];
        while let Some(thing) = waiting.pop() {
            if circles[thing] == usize::MAX {
                circles[thing] = circle;
                waiting.extend(&downstream[thing]);
            }
        }
    }
    circles
}
